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


# About how many units of a currency a dollar is (2026), rounded up to a power of ten. Any other is 2 to 10.
_UNITS_A_DOLLAR = {
    1: "BHD BMD BSD CHF CUP EUR FKP GBP GIP JOD KWD KYD OMR PAB SHP USD",
    100: "AFN ALL BTN CVE CZK DOP EGP ERN GMD HNL INR KGS LSL MAD MDL MKD MRU MUR MVR MXN MZN NAD NIO NOK PHP"
    " RUB SCR SEK SLE SRD STN SZL THB TJS TRY TWD UAH UYU ZAR ZMW ZWG",
    1_000: "AMD AOA BDT CLP CRC DJF DZD GYD HTG HUF ISK JMD JPY KES KMF KPW KZT LKR LRD NPR PKR RSD SDG SOS"
    " VED VES VUV XAF XOF XPF YER",
    10_000: "ARS BIF CDF COP GNF IQD KHR KRW MGA MMK MNT MWK NGN PYG RWF SSP TZS UGX",
    100_000: "IDR LAK LBP SYP UZS VND",
    1_000_000: "IRR",
}
_UNITS = {currency: units for units, named in _UNITS_A_DOLLAR.items() for currency in named.split()}


def units_a_dollar(currency: str) -> int:
    """Return a power of ten that is no less than a dollar's worth in a currency: for limits, not for sums."""
    return _UNITS.get(currency, 10)
