"""What player_state's tables in memory hold, over all shards and corrections."""

from collections import Counter, defaultdict

from fake_aws import Tables
from plain_state import Counts


def totals(tables: Tables) -> dict[tuple[str, str], Counter[str]]:
    """Return the counters by game and period, and row."""
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in tables.rows("game_days"):
        if "#names" in row["game_day"]:
            continue
        name = row["shard"].rpartition("#")[0]
        for counter, value in row.items():
            if counter not in ("game_day", "shard", "position", "expires_at", "updated_at"):
                found[row["game_day"], name][counter] += int(value)
    kept = {where: Counter({n: v for n, v in counts.items() if v}) for where, counts in found.items()}
    return {where: counts for where, counts in kept.items() if counts}


def day_counters(tables: Tables) -> Counts:
    """Return the counters of days, by game, day and counter."""
    days: Counts = Counter()
    for (period, _), counts in totals(tables).items():
        game, _, rest = period.partition("#")
        day, _, subject = rest.partition("#")
        if not subject and not day.startswith("hour-"):
            for name, value in counts.items():
                days[game, day, name] += value
    return Counter({name: count for name, count in days.items() if count})
