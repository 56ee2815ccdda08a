"""Where something is counted: the partition and the row of an item of the game_days table."""

from dataclasses import dataclass
from datetime import date

from telemetry.client_names import KEPT_DAYS

LIVE_DAYS = 2


@dataclass(frozen=True, slots=True)
class Bucket:
    """A period or subject, which follows the game in the key, and the row within it.

    `day` is the ordinal of the day that the bucket counts: all its items expire together.
    """

    period: str
    row: str
    day: int

    @property
    def is_live(self) -> bool:
        """Tell what is of interest for hours only."""
        return self.period.startswith("hour-")

    @property
    def expires_at(self) -> int:
        """Return when its items expire, in seconds since 1970."""
        kept = LIVE_DAYS if self.is_live else KEPT_DAYS
        return (self.day + kept - EPOCH) * 86_400


EPOCH = date(1970, 1, 1).toordinal()


def of_day(day: str) -> Bucket:
    """Count what happened on a UTC day."""
    return Bucket(day, "", _ordinal(day))


def of_refunds(day: str) -> Bucket:
    """Count what refunds pay back on a UTC day. The day's own item has no room for more counters."""
    return Bucket(day, "refunds#", _ordinal(day))


def of_month(day: date) -> Bucket:
    """Count who was active in the week and the 30 days up to each day of a month."""
    return Bucket(f"{day:%Y-%m}#active", "", day.replace(day=1).toordinal() + 31)


def of_cohort(install_day: str) -> Bucket:
    """Count the players installed on a day who come back."""
    return Bucket(f"{install_day}#cohort", "", _ordinal(install_day) + 90)


def of_level(day: str, level: str) -> Bucket:
    """Count the attempts of a level."""
    return Bucket(f"{day}#levels", f"{level}#", _ordinal(day))


def of_flow(day: str, flow: str) -> Bucket:
    """Count what flows of a virtual currency, by reason: `flow` is "currency#reason"."""
    return Bucket(f"{day}#economy", f"{flow}#", _ordinal(day))


def of_ad(day: str, ad: str) -> Bucket:
    """Count the impressions of an advertisement: `ad` is "network#placement#format"."""
    return Bucket(f"{day}#ads", f"{ad}#", _ordinal(day))


def of_design(day: str, name: str) -> Bucket:
    """Count the design events of a name."""
    return Bucket(f"{day}#designs", f"{name}#", _ordinal(day))


def of_version(day: str, version: str) -> Bucket:
    """Count how stable and how fast a version of the game is."""
    return Bucket(f"{day}#versions", f"{version}#", _ordinal(day))


def of_minute(minute: int) -> Bucket:
    """Count one minute (since 1970); an hour's minutes lie together."""
    hour, rest = divmod(minute, 60)
    return Bucket(f"hour-{hour}", f"{rest:02}#", EPOCH + hour // 24)


def of_device(minute: int, device: str) -> Bucket:
    """Count what devices measured in the hour of a minute: `device` is "platform#version"."""
    hour = minute // 60
    return Bucket(f"hour-{hour}#performance", f"{device}#", EPOCH + hour // 24)


def _ordinal(day: str) -> int:
    return date.fromisoformat(day).toordinal()
