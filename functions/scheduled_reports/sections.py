"""The tables of a report: how far players get, what flows, how each version runs; from day counters."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from telemetry import ad_spend as costs
from telemetry import metric_model
from telemetry.ad_spend import History, Spend
from telemetry.capped_names import LABEL, Rows, largest
from telemetry.histogram import percentiles
from telemetry.store import Store, by_name, merge

from scheduled_reports import figures
from scheduled_reports.figures import PRICED, Period

AD_SECTION = ("currency_impressions", "ad_revenue_micros", "ad_ecpm_micros")
DESIGN = ("design_events", "value_sum", "value_mean")
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
        *ads(store, game_id, period),
        designs(store, game_id, period),
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
    for (currency, reason), counts in _by_name(store, game_id, period, "economy", 2, apart=1).items():
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


def ads(store: Store, game_id: str, period: Period) -> list[Section]:
    """Tell what each advertisement earns: impressions, then money in a section for each currency."""
    rows, total = figures.ads(store, game_id, period.days)
    shown = largest(rows, lambda counts: counts["impressions"]).rows
    order = sorted(shown, key=lambda name: (LABEL in name, -shown[name]["impressions"], name))
    named = [("all ads", total), *((_ad(name), shown[name]) for name in order)]
    found = [_ads("Ads", named, figures.ADS)]
    for currency in sorted(name.removeprefix(PRICED) for name in total if name.startswith(PRICED)):
        priced = [(name, counts) for name, counts in named if counts[f"{PRICED}{currency}"]]
        found.append(_ads(f"Ad revenue: {currency}", priced, AD_SECTION, currency))
    return [section for section in found if total]


def _ad(name: tuple[str, ...]) -> str:
    return LABEL if LABEL in name else ", ".join(name)


def _ads(
    title: str, rows: list[tuple[str, Counter[str]]], names: Sequence[str], currency: str = ""
) -> Section:
    metrics = [metric_model.live()[name] for name in names]
    columns = tuple(
        (metric.label, f"{currency} {metric.unit}" if metric.unit == "micros" else metric.unit)
        for metric in metrics
    )
    told = [(name, tuple(metric.of(counts, currency) for metric in metrics)) for name, counts in rows]
    return Section(title, "Network, placement, format", columns, told)


def ad_spend(spends: Sequence[Spend], known: History | None) -> list[Section]:
    """Tell what advertising cost and its return, by source and by campaign: a section for each currency.

    `known` is what gold says of the install days, by campaign. Without it, costs stand alone.
    """
    names = "spend_micros", "cohort_players", "cost_per_player_micros"
    shown = [metric_model.ad_spend()[name] for name in (names if known else names[:1])]
    share = metric_model.ad_spend()["return_on_ad_spend"]
    title = share.label if known else f"{share.label} (gold cannot be read, so costs only)"
    found = []
    for by_campaign, subject in ((False, "install source"), (True, "install source, campaign")):
        rows = costs.returns(spends, known or History({}, {}, None), by_campaign)
        if by_campaign and not any(row.campaign for row in rows):
            continue
        for currency in sorted({row.currency for row in rows}):
            columns = [
                (one.label, f"{currency} {one.unit}" if one.unit == "micros" else one.unit) for one in shown
            ]
            columns += [(f"Return by D{number}", share.unit) for number in costs.NUMBERS] if known else []
            cells: list[Row] = [
                (
                    ", ".join(filter(None, (row.install_source, row.campaign))),
                    (*(getattr(row, one.name) for one in shown), *(row.returns if known else ())),
                )
                for row in rows
                if row.currency == currency
            ]
            found.append(Section(f"{title} by {subject}: {currency}", subject, tuple(columns), cells))
    return found


def designs(store: Store, game_id: str, period: Period) -> Section:
    """Count design events by their whole name, and sum their values."""
    metrics = [metric_model.live()[name] for name in DESIGN]
    rows: list[Row] = []
    found = _by_name(store, game_id, period, "designs", 1, "design_events").items()
    for (name,), counts in sorted(found, key=lambda one: (LABEL in one[0], -one[1]["design_events"], one[0])):
        # Values of different names may have different units.
        valued = counts["valued_events"] and name != LABEL
        values = (metric.of(counts) if valued or metric.unit == "count" else None for metric in metrics)
        rows.append((name, tuple(values)))
    return Section("Design events", "Name", tuple((one.label, one.unit) for one in metrics), rows)


def versions(store: Store, game_id: str, period: Period) -> Section:
    """Tell crashes and frames a second by version; percentiles are at most 2.5 % off."""
    columns = (
        ("active sessions", "count"), ("crash events", "count"), ("crash-free", "share"),
        ("median fps", "fps"), ("p5 fps", "fps"),
    )  # fmt: skip
    rows: list[Row] = []
    found = _by_name(store, game_id, period, "versions", 1).items()
    for (version,), counts in sorted(found, key=lambda one: (-one[1]["active_sessions"], one[0])):
        free = metric_model.live()["crash_free_sessions"].of(counts)
        bins = {name.removeprefix(FPS_BIN): n for name, n in counts.items() if name.startswith(FPS_BIN)}
        fps = percentiles(bins) or {}
        rows.append(
            (
                version,
                (counts["active_sessions"], counts["crash_events"], free, fps.get("p50"), fps.get("p5")),
            )
        )
    return Section("Versions", "Version", columns, rows)


def _by_name(
    store: Store, game_id: str, period: Period, subject: str, parts: int, size: str = "", apart: int = 0
) -> Rows:
    """Return the rows that are largest by a counter, or by the sum of all."""
    rows = by_name(store.rows(f"{game_id}#{day}#{subject}" for day in period.days), parts)
    return largest(rows, lambda counts: counts[size] if size else counts.total(), apart=apart).rows
