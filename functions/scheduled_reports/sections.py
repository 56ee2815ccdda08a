"""The tables of a report: how far players get, what flows, how each version runs; from day counters."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from telemetry import metric_model
from telemetry.capped_names import largest
from telemetry.histogram import percentiles
from telemetry.store import Store, by_name, merge

from scheduled_reports.figures import Period

FPS_BIN = "fps_bin_"

Row = tuple[str, tuple[float | None, ...]]


@dataclass(frozen=True, slots=True)
class Section:
    """A table: columns by name and unit, rows by name, the most important first."""

    title: str
    subject: str
    columns: tuple[tuple[str, str], ...]
    rows: list[Row]


def sections(store: Store, game_id: str, period: Period) -> list[Section]:
    """Return the tables that have rows."""
    found = [
        funnel(store, game_id, period),
        levels(store, game_id, period),
        *economy(store, game_id, period),
        versions(store, game_id, period),
    ]
    return [section for section in found if section.rows]


def funnel(store: Store, game_id: str, period: Period) -> Section:
    """Count players by step; a week adds up its days."""
    counts = merge(store.game_days(game_id, period.days)).counts
    active = counts["active_players"]
    steps = {
        "active": active,
        "started a level": counts["players_started"],
        "completed a level": counts["players_completed"],
        "paid": counts["payers"],
    }
    columns = (
        ("players" if period.kind == "day" else "players a day, summed", "count"),
        ("of active", "share"),
    )
    share = metric_model.live()["step_share"]
    rows: list[Row] = [
        (step, (players, share.of({"step_players": players, "active_players": active})))
        for step, players in steps.items()
    ]
    return Section("Funnel", "Step", columns, rows if active else [])


def levels(store: Store, game_id: str, period: Period) -> Section:
    """Count attempts by level."""
    columns = ("starts", "count"), ("completes", "count"), ("fails", "count"), ("completion", "share")
    rows: list[Row] = []
    found = _by_name(store, game_id, period, "levels", 1).items()
    for (level,), counts in sorted(found, key=lambda one: (-one[1]["start"], one[0])):
        names = ("starts", "completes", "fails", "completion")
        rows.append((level, tuple(metric_model.live()[name].of(counts) for name in names)))
    return Section("Levels", "Level", columns, rows)


def economy(store: Store, game_id: str, period: Period) -> list[Section]:
    """Sum what comes in and goes out by reason, a section a currency; what moves most comes first."""
    flows: dict[str, dict[str, Counter[str]]] = defaultdict(dict)
    for (currency, reason), counts in _by_name(store, game_id, period, "economy", 2).items():
        flows[currency][reason] = counts
    return [_currency(name, flows[name]) for name in sorted(flows)]


def _currency(name: str, reasons: dict[str, Counter[str]]) -> Section:
    total = sum(reasons.values(), Counter[str]())
    # The largest source and the largest sink, then the second of each.
    ranks = {
        flow: sorted(reasons, key=lambda reason: (-reasons[reason][flow], reason))
        for flow in ("source", "sink")
    }
    order = sorted(reasons, key=lambda reason: min(ranked.index(reason) for ranked in ranks.values()))
    columns = ("source", "count"), ("sink", "count"), ("net", "count")
    flows = [("all reasons", total), *((reason, reasons[reason]) for reason in order)]
    rows: list[Row] = [
        (reason, (of["source"], of["sink"], of["source"] - of["sink"])) for reason, of in flows
    ]
    return Section(f"Economy: {name}", "Reason", columns, rows)


def versions(store: Store, game_id: str, period: Period) -> Section:
    """Tell crashes and frames a second by version; percentiles are at most 2.5 % off."""
    columns = (
        ("sessions seen", "count"), ("crash events", "count"), ("crash-free", "share"),
        ("median fps", "fps"), ("p5 fps", "fps"),
    )  # fmt: skip
    rows: list[Row] = []
    found = _by_name(store, game_id, period, "versions", 1).items()
    for (version,), counts in sorted(found, key=lambda one: (-one[1]["sessions_seen"], one[0])):
        free = metric_model.live()["crash_free_share"].of(counts)
        bins = {name.removeprefix(FPS_BIN): n for name, n in counts.items() if name.startswith(FPS_BIN)}
        fps = percentiles(bins) or {}
        rows.append(
            (version, (counts["sessions_seen"], counts["crash_events"], free, fps.get("p50"), fps.get("p5")))
        )
    return Section("Versions", "Version", columns, rows)


def _by_name(
    store: Store, game_id: str, period: Period, subject: str, parts: int
) -> dict[tuple[str, ...], Counter[str]]:
    rows = by_name(store.rows(f"{game_id}#{day}#{subject}" for day in period.days), parts)
    return largest(rows, lambda counts: counts.total()).rows
