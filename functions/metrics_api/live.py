"""A game as it is played now, and what its days add up to: economy, funnel, retention."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query
from telemetry import metric_model
from telemetry.capped_names import Name, largest
from telemetry.histogram import MEASURES, percentiles
from telemetry.store import Item, by_name, numbers, store

from metrics_api import live_models as models
from metrics_api.callers import Visible
from metrics_api.models import money, prefixed
from metrics_api.parameters import DateRange, GameId, NamedRange, cached, now
from metrics_api.problems import RESPONSES

MAX_RETENTION_DAYS = 90

catalogue = APIRouter(
    prefix="/v1",
    tags=["games"],
    dependencies=[Depends(cached)],
    responses={status: RESPONSES[status] for status in (422, 500, 503)},
)
live = APIRouter(
    prefix="/v1/games/{game_id}", tags=["live"], dependencies=[Depends(cached)], responses=RESPONSES
)


@catalogue.get("/games", summary="The registered games")
def games(is_visible: Visible) -> models.Games:
    """List every registered game; to a person who signed in, those of the person's groups."""
    found = [models.GameName.model_validate(game) for game in store().games()]
    return models.Games(games=[game for game in found if is_visible(game.game_id)], as_of=now())


@live.get("/live", summary="The game now, by minute")
def game_live(
    game_id: GameId,
    minutes: Annotated[int, Query(ge=1, le=180, description="Minutes back from now.")] = 30,
) -> models.Live:
    """Count what happened in each of the last minutes, seconds after it arrived.

    `/realtime` has the same by platform and version, where the stream job runs.
    """
    return read_live(game_id, minutes)


def read_live(game_id: str, minutes: int = 30) -> models.Live:
    """Return the game now, for the route and the stream of the page."""
    as_of = now()
    last = int(datetime.now(UTC).timestamp()) // 60
    span = range(last - minutes + 1, last + 1)
    counts: dict[int, Counter[str]] = {minute: Counter() for minute in span}
    hours = sorted({minute // 60 for minute in span})
    updated = []
    for hour, rows in zip(hours, store().rows([f"{game_id}#hour-{hour}" for hour in hours]), strict=True):
        for row in rows:
            minute = 60 * hour + int(row["shard"].partition("#")[0])
            if minute in counts:
                counts[minute].update(numbers(row))
                updated.append(row["updated_at"])
    measured = _performance(
        by_name(store().rows([f"{game_id}#hour-{hour}#performance" for hour in hours]), 2)
    )
    today = datetime.now(UTC).date()
    (tally,) = store().game_days(game_id, [today])
    updated += [tally.updated_at] if tally.updated_at else []
    full = counts[span[-2]] if len(span) > 1 else Counter[str]()
    return models.Live(
        game_id=game_id,
        as_of=as_of,
        updated_at=max(updated, default=None),
        concurrent_players=counts[last]["concurrent_players"],
        active_players=full["active_players"],
        events_per_second=round(full["events"] / 60, 2),
        today=_today(today, tally.counts),
        minutes=[_minute(minute, counts[minute]) for minute in span],
        events_by_type=prefixed(sum(counts.values(), Counter()), "events_"),
        performance=measured.devices,
        capped=measured.capped,
    )


@live.get("/funnel", summary="How far players get")
def funnel(game_id: GameId, days: NamedRange) -> models.Funnel:
    """Count players by step and attempts by level, on the days they happened."""
    as_of, share = now(), metric_model.live()["step_share"]
    tallies = store().game_days(game_id, days)
    total = sum((tally.counts for tally in tallies), Counter[str]())
    rows = by_name(store().rows([f"{game_id}#{day}#levels" for day in days]), 1)
    levels = largest(rows, lambda counts: counts["start"])
    steps = {
        "active": total["active_players"],
        "started a level": total["players_started"],
        "completed a level": total["players_completed"],
        "paid": total["payers"],
    }
    return models.Funnel(
        game_id=game_id,
        from_=days[0],
        to=days[-1],
        as_of=as_of,
        updated_at=max((tally.updated_at for tally in tallies if tally.updated_at), default=None),
        steps=[
            models.Step(
                step=step,
                step_players=players,
                step_share=share.of({"step_players": players, "active_players": total["active_players"]}),
            )
            for step, players in steps.items()
        ],
        levels=sorted(
            (_level(name, counts) for (name,), counts in levels.rows.items()),
            key=lambda level: (-level.starts, level.level),
        ),
        capped=levels.capped,
    )


@live.get("/economy", summary="What comes in and goes out of the virtual currencies")
def economy(game_id: GameId, days: NamedRange) -> models.Economy:
    """Sum sources and sinks by currency and reason, on the days they happened."""
    as_of = now()
    by_currency: dict[str, list[models.Flow]] = defaultdict(list)
    rows = store().rows([f"{game_id}#{day}#economy" for day in days])
    flows = largest(by_name(rows, 2), lambda counts: counts["source"] + counts["sink"], apart=1)
    for (currency, reason), counts in flows.rows.items():
        for flow in ("source", "sink"):
            if counts[flow]:
                by_currency[currency].append(models.Flow(reason=reason, flow=flow, amount=counts[flow]))
    return models.Economy(
        game_id=game_id,
        from_=days[0],
        to=days[-1],
        as_of=as_of,
        updated_at=_updated_at(rows),
        currencies=[_currency(name, found) for name, found in sorted(by_currency.items())],
        capped=flows.capped,
    )


@live.get("/retention", summary="Who comes back, by install day")
def retention(
    game_id: GameId,
    days: DateRange,
    depth: Annotated[int, Query(ge=1, le=MAX_RETENTION_DAYS, description="Days after the first.")] = 14,
) -> models.Retention:
    """Follow the players whose first event was on each of the days (classic retention)."""
    as_of, today, share = now(), datetime.now(UTC).date(), metric_model.live()["retention"]
    rows = store().rows([f"{game_id}#{day}#cohort" for day in days])
    cohorts = []
    for day, shards in zip(days, rows, strict=True):
        counts = by_name([shards], 0)[()]
        new = counts["retained_0"]
        over = [day + timedelta(days=n) < today for n in range(depth + 1)]
        players = [counts[f"retained_{n}"] if n == 0 or done else None for n, done in enumerate(over)]
        shares = [
            None if count is None else share.of({"retained_players": count, "cohort_players": new})
            for count in players
        ]
        cohorts.append(
            models.Cohort(install_date=day, cohort_players=new, retained_players=players, retention=shares)
        )
    return models.Retention(
        game_id=game_id,
        from_=days[0],
        to=days[-1],
        as_of=as_of,
        updated_at=_updated_at(rows),
        cohorts=cohorts,
    )


def _updated_at(partitions: list[list[Item]]) -> str | None:
    return max((row["updated_at"] for rows in partitions for row in rows), default=None)


def _minute(minute: int, counts: Counter[str]) -> models.Minute:
    revenue, share = prefixed(counts, "reported_revenue_"), metric_model.live()["unverified_reported_share"]
    return models.Minute(
        minute=datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        events=counts["events"],
        active_players=counts["active_players"],
        concurrent_players=counts["concurrent_players"],
        session_starts=counts["events_session_start"],
        purchase_events=counts["events_purchase"],
        errors=counts["events_error"],
        crash_events=counts["events_crash"],
        reported_revenue=revenue,
        unverified_reported_revenue=prefixed(counts, "unverified_reported_revenue_"),
        unverified_reported_share={
            currency: part for currency in revenue if (part := share.of(counts, currency)) is not None
        },
    )


def _today(day: date, counts: Counter[str]) -> models.Today:
    names = ("events", "active_players", "new_players", "session_starts", "purchases", "refunds")
    found = {name: metric_model.live()[name].of(counts) for name in names}
    return models.Today.model_validate({"date": day, **money(counts), **found})


def _level(name: str, counts: Counter[str]) -> models.Level:
    names = ("starts", "completes", "fails", "completion")
    return models.Level.model_validate(
        {"level": name, **{one: metric_model.live()[one].of(counts) for one in names}}
    )


def _currency(name: str, flows: list[models.Flow]) -> models.Currency:
    source = sum(flow.amount for flow in flows if flow.flow == "source")
    sink = sum(flow.amount for flow in flows if flow.flow == "sink")
    ordered = sorted(flows, key=lambda flow: (-flow.amount, flow.reason))
    return models.Currency(currency=name, source=source, sink=sink, net=source - sink, reasons=ordered)


class _Measured(NamedTuple):
    devices: list[models.Performance]
    capped: bool


def _performance(devices: dict[Name, Counter[str]]) -> _Measured:
    """Return what the devices with the most performance events measured; the rest is added up as `other`."""
    shown = largest(devices, lambda counts: counts["performance_events"])
    found = [
        models.Performance(
            platform=platform,
            app_version=version,
            performance_events=counts["performance_events"],
            **{name: percentiles(prefixed(counts, f"{letter}_")) for name, letter in MEASURES.items()},
        )
        for (platform, version), counts in shown.rows.items()
    ]
    ordered = sorted(found, key=lambda each: (-each.performance_events, each.platform, each.app_version))
    return _Measured(ordered, shown.capped)
