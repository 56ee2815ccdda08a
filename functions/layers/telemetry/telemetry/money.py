"""Money: ISO 4217's currencies count in hundredths, but for these."""

NO_MINOR_UNIT = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())  # noqa: SIM905
MINOR_UNIT_IS_1000TH = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
MICROS_DIGITS = 6


def minor_digits(currency: str) -> int:
    """Return how many decimal digits of a currency's major unit are one minor unit."""
    return 0 if currency in NO_MINOR_UNIT else 3 if currency in MINOR_UNIT_IS_1000TH else 2


def major(minor: float, currency: str, thousands: str = "") -> str:
    """Return minor units in the major one, such as "1234.56"; a fraction of one gets two more digits."""
    digits = minor_digits(currency)
    shown = digits if minor == int(minor) else digits + 2
    return f"{minor / 10**digits:{thousands}.{shown}f}"


def minor(micros: float, currency: str) -> float:
    """Return millionths of the major unit in minor ones."""
    return micros / 10.0 ** (MICROS_DIGITS - minor_digits(currency))


def money(minor: float, currency: str) -> str:
    """Return the same as people read it, such as "1,234.56 EUR"."""
    return f"{major(minor, currency, ',')} {currency}"
