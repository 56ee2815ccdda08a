"""How often the hourly check is wrong about healthy made-up games, and which planted changes it finds."""

import random
import sys
from collections.abc import Sequence

from data_quality.checks import DROP_FAILS, MINIMUM_EVENTS
from made_hours import DAY, GAMES, YEAR
from telemetry.anomaly import HOURS, detect, usual_hour

CHANGES = (0, 0.25, 0.4, 0.6, 1.5, 2, 3)
PLANTED = 60


def judged(hours: Sequence[float]) -> str:
    """Return what the check says of the last hour."""
    band, value = usual_hour(hours[:-1]), hours[-1]
    if band is None or band.low <= value <= band.high or max(value, band.usual) < MINIMUM_EVENTS:
        return ""
    return "fail" if value < DROP_FAILS * band.usual else "warn"


def judged_by_days(hours: Sequence[float]) -> str:
    """Return what the check said that held an hour against the same hour of the 28 days before."""
    change = detect(hours[(len(hours) - 1) % DAY :: DAY][-29:], MINIMUM_EVENTS)
    return "" if change is None else ("warn" if hours[-1] else "fail")


def main(years: int) -> None:
    """Print a row for each game."""
    chance = random.Random(1)
    print("game | warn/fail a year | by days | found in the hour:", *CHANGES)
    for name, game in GAMES.items():
        wrong = {"warn": 0.0, "fail": 0.0}
        before = 0.0
        found = dict.fromkeys(CHANGES, 0)
        found_by_days = dict.fromkeys(CHANGES, 0)
        looked = 0
        for seed in range(years):
            hours = list(game.hours(seed))
            for hour in range(HOURS, YEAR):
                if verdict := judged(hours[hour - HOURS : hour + 1]):
                    wrong[verdict] += 1
                before += bool(judged_by_days(hours[hour - 28 * DAY : hour + 1]))
            looked += YEAR - HOURS
            for change in CHANGES:
                for _ in range(PLANTED):
                    hour = chance.randrange(HOURS, YEAR)
                    planted = [*hours[hour - HOURS : hour], round(hours[hour] * change)]
                    found[change] += bool(judged(planted))
                    found_by_days[change] += bool(judged_by_days(planted[-28 * DAY - 1 :]))
        a_year = 365 * DAY / looked
        shares = " ".join(f"{one / PLANTED / years:.0%}" for one in found.values())
        old = " ".join(f"{one / PLANTED / years:.0%}" for one in found_by_days.values())
        print(
            f"{name} | {wrong['warn'] * a_year:.1f}/{wrong['fail'] * a_year:.1f} | {before * a_year:.0f}"
            f" | {shares} | by days {old}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
