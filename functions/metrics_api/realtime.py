"""Windows and alerts of the stream job."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime
from telemetry import metric_model
from telemetry.capped_names import LABEL, OTHER
from telemetry.histogram import percentiles
from telemetry.metric_model import CUSTOM
from telemetry.store import Item, store

from metrics_api import realtime_models as models
from metrics_api.models import prefixed
from metrics_api.parameters import GameId, cached, invalid, now
from metrics_api.problems import RESPONSES

ALL = "*"
MAX_MINUTES = 1440
# Two dimensions have up to 44 values a minute, each an item.
MAX_MINUTES_OF_VALUES = 60
FIRST_YEAR, LAST_YEAR = 2000, 2999
FLOWS = ("source.", "sink.")
# A match ends for each of its players; the measures are kept by the mode.
ENDINGS = {
    "wins": "match_win.",
    "losses": "match_loss.",
    "draws": "match_draw.",
    "abandons": "match_abandoned.",
}

Until = Annotated[
    AwareDatetime | None,
    Query(
        description="Only what began before this moment; now where absent.", examples=["2026-01-31T12:07Z"]
    ),
]

realtime = APIRouter(
    prefix="/v1/games/{game_id}", tags=["live"], dependencies=[Depends(cached)], responses=RESPONSES
)


@realtime.get("/realtime", summary="Windows of the stream job, and its alerts")
def read_realtime(
    game_id: GameId,
    window: Annotated[models.WindowName, Query(description="Length: 5m slides by a minute.")] = "1m",
    minutes: Annotated[int, Query(ge=1, le=MAX_MINUTES, description="Minutes back from `until`.")] = 60,
    until: Until = None,
    platform: Annotated[str, Query(description="One platform; * is all.", max_length=32)] = ALL,
    app_version: Annotated[
        str, Query(description="One version; * is all, other is the rest.", max_length=98)
    ] = ALL,
) -> models.Realtime:
    """Return exact windows by event time, without late events; `/live` counts those too, but knows less.

    A minute of a game names the versions, virtual currencies, design events and modes with the most events.
    The rest is `other`.
    """
    as_of = now()
    since, last = _keys(minutes, until)
    series = [
        f"{game_id}#{window}#{platform}#{app_version}",
        f"{game_id}#{window}#{ALL}#{LABEL}",
        f"{game_id}#dropped#*#*",
        f"{game_id}#alerts",
    ]
    windows, other_versions, dropped, alerts = store().series(series, since, last)
    read = [_window(item["window"], _measures(item)) for item in windows]
    return models.Realtime(
        game_id=game_id,
        window=window,
        platform=platform,
        app_version=app_version,
        windows=read,
        dropped_events=sum(_measures(item)["dropped.events"] for item in dropped),
        alerts=[_alert(item) for item in reversed(alerts)],
        capped=bool(other_versions) or any(_has_unnamed(item) for item in windows),
        as_of=as_of,
        updated_at=read[-1].start if read else None,
    )


@realtime.get("/realtime/dimensions", summary="Minutes by custom dimension")
def read_dimensions(
    game_id: GameId,
    minutes: Annotated[
        int, Query(ge=1, le=MAX_MINUTES_OF_VALUES, description="Minutes back from `until`.")
    ] = 30,
    until: Until = None,
) -> models.RealtimeDimensions:
    """Return minutes of the stream job by the values of the game's custom dimensions, as `/realtime` counts.

    A game has at most two dimensions with 20 values each, and `other` and `unknown`.
    """
    as_of = now()
    since, last = _keys(minutes, until)
    named = {
        CUSTOM[slot - 1]: one.name
        for slot, one in sorted(store().dimensions(game_id).slots.items())
        if one.rule == "current"
    }
    found = store().series([f"{game_id}#1m#{column}" for column in named], since, last)
    return models.RealtimeDimensions(
        game_id=game_id,
        dimensions=[
            models.CustomDimension(column=column, name=name, values=_values(items))
            for (column, name), items in zip(named.items(), found, strict=True)
        ],
        as_of=as_of,
        updated_at=max((item["window"].partition("#")[0] for items in found for item in items), default=None),
    )


def _keys(minutes: int, until: datetime | None) -> tuple[str, str]:
    """Return the first and the last key of the minutes before a moment, now where it is absent."""
    if until and not FIRST_YEAR <= until.year <= LAST_YEAR:
        raise invalid("until", f"give a time of the years {FIRST_YEAR} to {LAST_YEAR}")
    end = (until or datetime.now(UTC)).astimezone(UTC)
    since = f"{end - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"
    # The last key of the second before, as keys of alerts and of values go on after the time.
    return since, f"{end - timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}~" if until else "~"


def _values(items: Iterable[Item]) -> list[models.Value]:
    """Return the values of a dimension, by name, with their minutes in order."""
    minutes: dict[str, list[models.ValueMinute]] = {}
    for item in items:
        start, _, value = item["window"].partition("#")
        minutes.setdefault(value, []).append(_value_minute(start, _measures(item)))
    return [models.Value(value=value, minutes=minutes[value]) for value in sorted(minutes)]


def _value_minute(start: str, measures: Counter[str]) -> models.ValueMinute:
    return models.ValueMinute(
        start=start,
        active_players=measures["unique.active_players"],
        crash_events=measures["events.crash"],
        reported_revenue=prefixed(measures, "reported_revenue."),
        unverified_reported_revenue=prefixed(measures, "unverified_reported_revenue."),
    )


def _measures(item: Item) -> Counter[str]:
    return Counter(orjson.loads(item["measures"]))


def _window(start: str, measures: Counter[str]) -> models.Window:
    model = metric_model.window()
    mean, share = model["ended_seconds_mean"].of(measures), model["unverified_reported_share"]
    revenue = prefixed(measures, "reported_revenue.")
    sources, sinks = (_by_name(measures, family) for family in FLOWS)
    endings = {ending: _by_name(measures, family) for ending, family in ENDINGS.items()}
    return models.Window(
        start=start,
        active_players=measures["unique.active_players"],
        heartbeat_sessions=measures["unique.heartbeat_sessions"],
        session_starts=measures["events.session_start"],
        sessions_ended=measures["events.session_end"],
        ended_seconds_mean=None if mean is None else round(mean, 1),
        events_by_type=prefixed(measures, "events."),
        reported_purchases=prefixed(measures, "reported_purchases."),
        reported_revenue=revenue,
        unverified_reported_revenue=prefixed(measures, "unverified_reported_revenue."),
        unverified_reported_share={
            currency: part for currency in revenue if (part := share.of(measures, currency)) is not None
        },
        reported_payers=measures["unique.reported_payers"],
        economy={
            currency: models.CurrencyFlow(source=sources[currency], sink=sinks[currency])
            for currency in sorted(sources | sinks)
        },
        progression_events=prefixed(measures, "progression."),
        design_events_by_name=_by_name(measures, "design."),
        matches={
            mode: models.MatchEndings(**{ending: found[mode] for ending, found in endings.items()})
            for mode in sorted({mode for found in endings.values() for mode in found})
        },
        impressions=measures["events.ad_impression"],
        ad_revenue_micros=prefixed(measures, "ad_revenue_micros."),
        crash_events=measures["events.crash"],
        scores_submitted=measures["events.score_submitted"],
        **{name: percentiles(prefixed(measures, f"{name}.")) for name in ("fps", "latency_ms")},
    )


def _has_unnamed(item: Item) -> bool:
    return any(name.endswith(f".{OTHER}") for name in _measures(item))


def _by_name(measures: Counter[str], family: str) -> Counter[str]:
    """Return amounts by a name that clients choose. One may be like the label: both are one then."""
    found = Counter[str]()
    for name, amount in prefixed(measures, family).items():
        found[LABEL if name == OTHER else name] += amount
    return found


def _alert(item: Item) -> models.Alert:
    raised_at, alert, subject = item["window"].split("#", 2)
    found: dict[str, Any] = orjson.loads(item["measures"])
    return models.Alert(raised_at=raised_at, alert=alert, subject=subject, **found)
