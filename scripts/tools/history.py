"""The history of what the emulator holds: silver and gold, against what was sent."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from telemetry import metric_model
from telemetry.ad_spend import NUMBERS, Spend
from telemetry.metric_model import ALL

from tools import gold, spend
from tools.simulate import advertisements, design_events
from tools.simulation import Truth


def figures(game_id: str, costs: Sequence[Spend]) -> dict[str, Any]:
    """Return what silver and gold say of a game, and of its costs of advertising; money is in minor units."""

    def of(table: str, columns: str, where: str = "true") -> dict[str, int]:
        everywhere = " AND ".join(f"{name} = '*'" for name in metric_model.tables()[table].everywhere)
        wanted = f"game_id = ? AND {everywhere} AND {where}"
        query = f"SELECT {columns} FROM {table} WHERE {wanted} GROUP BY 1 ORDER BY 1"  # noqa: S608
        found = gold.sql(query, game_id)
        return {str(name): int(value) for name, value in zip(found["name"], found["value"], strict=True)}

    silver = gold.sql(
        "SELECT count(*) AS events, count(DISTINCT event_id) AS ids FROM events WHERE game_id = ?", game_id
    )
    return {
        "events in silver": int(silver["events"][0]),
        "of them distinct": int(silver["ids"][0]),
        "active players": of("daily", "CAST(event_date AS VARCHAR) AS name, sum(active_players) AS value"),
        # A currency of trials alone has rows, and no revenue.
        "revenue in minor units": _earned(of("revenue", "currency AS name, sum(gross_minor) AS value")),
        "refunded in minor units": of(
            "revenue", "currency AS name, sum(refunded_minor) AS value", "refunded_minor > 0"
        ),
        "proceeds in minor units": _earned(of("revenue", "currency AS name, sum(proceeds_minor) AS value")),
        "trials": sum(of("revenue", "currency AS name, sum(trials) AS value").values()),
        "virtual currencies": of(
            "economy", "currency || ' ' || flow AS name, sum(amount) AS value", "reason = '*'"
        ),
        "levels completed": of("progression", "level_1 AS name, sum(completes) AS value", "completes > 0"),
        "players who reached a step": of("tutorial", "step AS name, sum(reached_players) AS value"),
        "players by install source": of(
            "acquisition", "install_source AS name, sum(cohort_players) AS value", "day_number = 0"
        ),
        "return on ad spend": _returned(game_id, costs),
        "players of variants": _variants(game_id),
        "players of design events by variant": _senders(game_id),
        "new players by class": _by_class(game_id),
        "active players by shard": _by_shard(game_id),
        "levels completed by class": _completed(game_id, "custom_1"),
        "levels completed by shard": _completed(game_id, "custom_2"),
        "match ends": of("matches", "mode AS name, sum(match_ends) AS value"),
        "players who came back the day after": of(
            "retention",
            "CAST(cohort_date AS VARCHAR) AS name, sum(retained_players) AS value",
            "day_number = 1",
        ),
        **_events(game_id),
    }


def _earned(amounts: Mapping[str, int]) -> dict[str, int]:
    return {currency: amount for currency, amount in amounts.items() if amount}


def _returned(game_id: str, costs: Sequence[Spend]) -> dict[str, float]:
    """Return the players of each paid source, and their net revenue by day N over their cost."""
    found: dict[str, float] = {}
    for row in sorted(spend.returns(game_id, costs, by_campaign=False)):
        name = f"{row.install_source} {row.currency}"
        found[f"{name} players"] = row.cohort_players
        for number, share in zip(NUMBERS, row.returns, strict=True):
            if share is not None:
                found[f"{name} D{number}"] = share
    return found


def _variants(game_id: str) -> dict[str, int]:
    """Return the players of each variant, and those who were back on the day after the first exposure."""
    rows = gold.table("experiments", game_id)
    counts = rows[rows["day_number"] == 1].groupby("variant")[["exposed_players", "returned_players"]].sum()
    found: dict[str, int] = {}
    for variant, exposed, back in counts.itertuples():
        found |= {f"{variant} back": int(back), f"{variant} exposed": int(exposed)}
    return found


def _senders(game_id: str) -> dict[str, int]:
    """Return who sent design events on the day of the first exposure: players by variant and first part."""
    rows = gold.table("experiment_design", game_id, depth="1")
    sums = rows[rows["day_number"] == 0].groupby(["variant", "name"])["exposed_senders"].sum()
    return {f"{variant} {name}": int(count) for (variant, name), count in sums.items() if count}


def _by_class(game_id: str) -> dict[str, int]:
    """Return the players of all cohorts by the first custom dimension."""
    rows = gold.table("retention", game_id, custom_2="*", platform="*", country="*", app_version="*")
    rows = rows[(rows["day_number"] == 0) & (rows["custom_1"] != "*")]
    return {str(name): int(count) for name, count in rows.groupby("custom_1")["cohort_players"].sum().items()}


def _by_shard(game_id: str) -> dict[str, int]:
    """Return the active players by day and the second custom dimension."""
    rows = gold.table("daily", game_id, custom_1="*", platform="*", country="*", app_version="*")
    rows = rows[rows["custom_2"] != "*"]
    counts = zip(rows["event_date"], rows["custom_2"], rows["active_players"], strict=True)
    return {f"{day} {shard}": int(count) for day, shard, count in sorted(counts)}


def _completed(game_id: str, column: str) -> dict[str, int]:
    """Return the levels completed by the values of a custom dimension."""
    totals = metric_model.tables()["progression"].everywhere
    rows = gold.table("progression", game_id, **{name: one for name, one in totals.items() if name != column})
    sums = rows[rows[column] != ALL].groupby(column)["completes"].sum()
    return {str(value): int(count) for value, count in sums.items() if count}


def _events(game_id: str) -> dict[str, Any]:
    """Return what gold says of advertisements and design events, read without any SQL."""
    ads, designs = (
        gold.table(name, game_id, **metric_model.tables()[name].everywhere) for name in ("ads", "design")
    )
    players = zip(designs["event_date"], designs["name"], designs["players"], strict=True)
    return {
        "advertisements": advertisements(
            (row.network, row.impressions, row.completed_impressions, {row.currency: row.revenue_micros})
            for row in ads.itertuples()
        ),
        "design events": design_events(
            (row.name, row.design_events, row.value_sum) for row in designs.itertuples()
        ),
        "players of design events": {f"{day} {name}": count for day, name, count in sorted(players)},
    }


def expected_figures(truth: Truth, today: date) -> dict[str, Any]:
    """Return the same figures from what was sent; `today` still runs."""
    truth = truth.merged()
    levels = {
        name.removesuffix(" complete"): n for name, n in truth.levels.items() if name.endswith(" complete")
    }
    return {
        "events in silver": truth.accepted,
        "of them distinct": truth.accepted,
        "active players": {day: len(players) for day, players in sorted(truth.players_by_day.items())},
        "revenue in minor units": _earned(dict(sorted(truth.revenue.items()))),
        "refunded in minor units": dict(sorted(truth.refunded.items())),
        "proceeds in minor units": _earned(truth.proceeds),
        "trials": truth.trials,
        "virtual currencies": dict(sorted(truth.economy.items())),
        "levels completed": dict(sorted(levels.items())),
        "players who reached a step": {str(step): len(found) for step, found in sorted(truth.steps.items())},
        "players by install source": _installed(truth, today),
        "return on ad spend": truth.returned(today),
        "players of variants": truth.exposed(today),
        "players of design events by variant": truth.senders(today),
        "new players by class": _started(truth, today),
        "active players by shard": {
            f"{day} {shard}": len(players) for (day, shard), players in sorted(truth.shards.items())
        },
        "levels completed by class": _levels(
            (truth.classes[player][1], count) for (player, _), count in truth.completed.items()
        ),
        "levels completed by shard": _levels((shard, count) for (_, shard), count in truth.completed.items()),
        "match ends": dict(sorted(truth.match_ends.items())),
        "players who came back the day after": truth.came_back(today),
        "advertisements": dict(sorted((+truth.ads).items())),
        "design events": dict(sorted((+truth.designs).items())),
        "players of design events": {
            f"{day} {name}": len(players) for (day, name), players in sorted(truth.design_players.items())
        },
    }


def _started(truth: Truth, today: date) -> dict[str, int]:
    """Return the players of each class whose first day is over."""
    found = Counter(told for happened, told in truth.classes.values() if happened[:10] < str(today))
    return dict(sorted(found.items()))


def _levels(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    found = Counter[str]()
    for value, count in counts:
        found[value] += count
    return dict(sorted((+found).items()))


def _installed(truth: Truth, today: date) -> dict[str, int]:
    """Return the players of each source whose install day is over."""
    over = set().union(*(found for day, found in truth.players_by_day.items() if day < str(today)))
    return {source: len(found & over) for source, found in sorted(truth.sources.items()) if found & over}
