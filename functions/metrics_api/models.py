"""The answers of the API, with units; what /docs shows."""

import datetime as dt
from collections import Counter
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo
from telemetry import metric_model

Timestamp = Annotated[
    str,
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-01-31T12:00:00.123Z"]),
]
Count = Annotated[int, Field(ge=0, examples=[1250])]
IDLE = dt.timedelta(minutes=30)
Game = Annotated[str, Field(description="The game as registered by the studio.", examples=["space-race"])]


def metric(name: str, note: str = "", **more: Any) -> FieldInfo:
    """Return a field that has the description of a live metric, and what is special about it here."""
    described = f"{metric_model.live()[name].description} {note}".strip()
    found: FieldInfo = Field(description=described, **more)
    return found


Money = Annotated[
    dict[str, int], metric("revenue", "By ISO 4217 currency.", examples=[{"EUR": 129900, "USD": 4990}])
]


class Answer(BaseModel):
    """What every answer says about its age."""

    as_of: Annotated[Timestamp, Field(description="When the API read the tables (UTC).")]
    updated_at: Annotated[
        Timestamp | None,
        Field(
            description="When the newest of the counters was written (UTC); null where that is not recorded."
        ),
    ] = None


class Range(BaseModel):
    """The UTC days of an answer."""

    model_config = ConfigDict(validate_by_name=True)

    game_id: Game
    from_: Annotated[dt.date, Field(alias="from", description="First UTC day, inclusive.")]
    to: Annotated[dt.date, Field(description="Last UTC day, inclusive.")]


class Counts(BaseModel):
    """Counters that add up over days."""

    events: Annotated[Count, metric("events")] = 0
    events_by_type: Annotated[
        dict[str, int],
        Field(description="The same by event type.", examples=[{"session_start": 640, "purchase": 12}]),
    ]
    new_players: Annotated[Count, metric("new_players")] = 0
    session_starts: Annotated[Count, metric("session_starts")] = 0
    sessions_ended: Annotated[Count, metric("sessions_ended")] = 0
    playtime_seconds: Annotated[Count, metric("playtime_seconds")] = 0
    purchases: Annotated[Count, metric("purchases")] = 0
    revenue: Money
    unverified_revenue: Annotated[dict[str, int], metric("unverified_revenue", examples=[{"EUR": 499}])] = {}
    unverified_share: Annotated[dict[str, float], metric("unverified_share", examples=[{"EUR": 0.004}])] = {}
    refunds: Annotated[Count, metric("refunds")] = 0
    refunded: Annotated[dict[str, int], metric("refunded", examples=[{"EUR": 499}])] = {}
    net_revenue: Annotated[dict[str, int], metric("net_revenue", examples=[{"EUR": 129401}])] = {}
    trials: Annotated[Count, metric("trials")] = 0
    sandbox_purchases: Annotated[Count, metric("sandbox_purchases")] = 0

    @classmethod
    def of(cls, counts: Counter[str], **fields: Any) -> Self:
        """Build from the counters of the game_days table."""
        grouped = {
            "events_by_type": prefixed(counts, "events_"),
            **money(counts),
            "session_starts": counts["events_session_start"],
            "sessions_ended": counts["events_session_end"],
            "playtime_seconds": max(0, counts["play_ms"]) // 1000,
        }
        return cls.model_validate({**counts, **grouped, **fields})


class Day(Counts):
    """One UTC day; players are unique within it, so they do not add up over days."""

    date: Annotated[dt.date, Field(description="UTC day the events happened on.", examples=["2026-01-31"])]
    active_players: Annotated[Count, metric("active_players")] = 0
    weekly_active_players: Annotated[Count, metric("weekly_active_players")] = 0
    monthly_active_players: Annotated[Count, metric("monthly_active_players")] = 0
    stickiness: Annotated[float | None, metric("stickiness", ge=0, le=1, examples=[0.21])] = None
    payers: Annotated[Count, metric("payers")] = 0
    currency_payers: Annotated[dict[str, int], metric("currency_payers", examples=[{"EUR": 12}])] = {}
    arpdau: Annotated[dict[str, float], metric("arpdau", examples=[{"EUR": 41.5}])] = {}
    arppu: Annotated[dict[str, float], metric("arppu", examples=[{"EUR": 1280.0}])] = {}


class Summary(Range, Answer):
    """What players did in a game, by the day it happened."""

    days: Annotated[
        list[Day], Field(description="Every day of the range in order, zeros where nothing happened.")
    ]
    totals: Annotated[Counts, Field(description="Sums over the days.")]


class Arrivals(BaseModel):
    """What became of the events that arrived."""

    total: Annotated[Count, metric("arrived")]
    rejected_share: Annotated[float | None, metric("rejected_share", ge=0, le=1, examples=[0.01])] = None
    accepted: Annotated[Count, Field(description="Valid events that went on.")] = 0
    late: Annotated[Count, Field(description="Of the accepted: over 1 hour old on arrival.")] = 0
    skewed: Annotated[Count, Field(description="Of the accepted: client clock over 5 minutes off.")] = 0
    bot: Annotated[Count, Field(description="Of the accepted: sent by a declared bot.")] = 0
    masked: Annotated[Count, Field(description="Of the accepted: held an e-mail address, now masked.")] = 0
    repeated_sequence: Annotated[
        Count,
        Field(description="Of the accepted: the session repeats its sequence numbers."),
    ] = 0
    withheld: Annotated[
        Count, Field(description="Not kept, and in no other figure: the player did not agree to analytics.")
    ] = 0
    replayed: Annotated[Count, Field(description="Of the accepted: rejected on arrival, then replayed.")] = 0
    rejected: Annotated[
        dict[str, int],
        metric("rejected", "By reason.", examples=[{"schema_violation": 3, "duplicate": 1}]),
    ]

    @classmethod
    def of(cls, counts: Counter[str], **fields: Any) -> Self:
        """Build from the counters of the ingest_stats table."""
        rejected = prefixed(counts, "rejected_")
        refused = sum(rejected.values())
        total = counts["accepted"] + refused
        share = metric_model.live()["rejected_share"].of({"rejected": refused, "arrived": total})
        found = {"rejected": rejected, "total": total, "rejected_share": share}
        return cls.model_validate({**counts, **found, **fields})


class ArrivalDay(Arrivals):
    """One UTC day of arrivals."""

    date: Annotated[dt.date, Field(description="UTC day the events arrived on.", examples=["2026-01-31"])]


class Ingestion(Arrivals, Range, Answer):
    """What arrived for a game, summed over the range and by day of arrival."""

    days: Annotated[list[ArrivalDay], Field(description="Every day of the range in order.")]


class OpenSession(BaseModel):
    """A session that reported no end and had an event in the last 30 minutes."""

    session_id: str
    started_at: Annotated[Timestamp, Field(description="Time of its first event (UTC).")]
    last_event_at: Annotated[Timestamp, Field(description="Time of its last event (UTC).")]
    seconds: Annotated[Count, Field(description="Played so far.")]


class Player(Answer):
    """What is known of a player: counters over the whole life, days over the last 100 active ones."""

    game_id: Game
    player_id: Annotated[str, Field(description="The player within the game.", examples=["p-1001"])]
    first_seen: Annotated[Timestamp, Field(description="Time of the first event (UTC).")]
    last_seen: Annotated[Timestamp, Field(description="Time of the last event (UTC).")]
    session_starts: Annotated[Count, metric("session_starts")] = 0
    playtime_seconds: Annotated[Count, metric("playtime_seconds")] = 0
    open_sessions: list[OpenSession] = []
    purchases: Annotated[Count, metric("purchases")] = 0
    spend: Money = {}
    refunded: Annotated[dict[str, int], metric("refunded", examples=[{"EUR": 499}])] = {}
    balances: Annotated[
        dict[str, int],
        Field(description="Last known amount by virtual currency.", examples=[{"gems": 40}]),
    ] = {}
    balances_at: Annotated[dict[str, Timestamp], Field(description="Time of each balance (UTC).")] = {}
    level: Annotated[str | None, Field(description="Level completed last.", examples=["world-1/level-4"])] = (
        None
    )
    level_at: Annotated[Timestamp | None, Field(description="Time of that completion (UTC).")] = None
    platform: Annotated[str | None, Field(description="Platform of the last event.", examples=["ios"])] = None
    app_version: Annotated[str | None, Field(description="Its version of the game.", examples=["1.4.2"])] = (
        None
    )
    country: Annotated[str | None, Field(description="Its country, ISO 3166-1 alpha-2.", examples=["DE"])] = (
        None
    )
    active_days: Annotated[list[dt.date], Field(description="UTC days with any event, in order.")] = []
    paid_days: Annotated[list[dt.date], Field(description="UTC days with a purchase, in order.")] = []

    @classmethod
    def of(cls, player: dict[str, Any], as_of: str) -> Self:
        """Build from what is kept of a player (telemetry.player_item)."""
        return cls.model_validate({**player, "open_sessions": _open_sessions(player, as_of), "as_of": as_of})


def _open_sessions(player: dict[str, Any], as_of: str) -> list[OpenSession]:
    idle_since = dt.datetime.fromisoformat(as_of) - IDLE
    sessions = (
        OpenSession(
            session_id=play["session_id"],
            started_at=play["first"],
            last_event_at=play["last"],
            seconds=(dt.datetime.fromisoformat(play["last"]) - dt.datetime.fromisoformat(play["first"]))
            // dt.timedelta(seconds=1),
        )
        for play in player["plays"]
        if not play["ended"] and dt.datetime.fromisoformat(play["last"]) > idle_since
    )
    return sorted(sessions, key=lambda session: session.started_at)


class Status(BaseModel):
    """Whether the API works."""

    status: Annotated[str, Field(description="Always ok: anything else is an error.", examples=["ok"])] = "ok"
    as_of: Annotated[Timestamp, Field(description="When this was found (UTC).")]


class FieldError(BaseModel):
    """One parameter that was refused."""

    pointer: Annotated[str, Field(description="Where it is in the request.", examples=["/query/from"])]
    detail: Annotated[str, Field(description="What is wrong with it.", examples=["Input should be a date"])]


class Problem(BaseModel):
    """An error, RFC 9457."""

    type: Annotated[str, Field(description="about:blank: the status says it all.")] = "about:blank"
    title: Annotated[str, Field(description="The status in words.", examples=["Not Found"])]
    status: Annotated[int, Field(description="HTTP status.", examples=[404])]
    detail: Annotated[
        str, Field(description="What went wrong.", examples=["Game space-race is not registered."])
    ]
    instance: Annotated[
        str, Field(description="Path of the request.", examples=["/v1/games/space-race/summary"])
    ]
    errors: Annotated[list[FieldError] | None, Field(description="Refused parameters (422).")] = None


def money(counts: Counter[str]) -> dict[str, dict[str, float | None]]:
    """Return gross, unverified, refunded and net revenue of each currency with a payment or refund.

    The share that is unverified is left out without revenue.
    """
    currencies = sorted({*prefixed(counts, "revenue_"), *prefixed(counts, "refunded_")})
    model = metric_model.live()
    found: dict[str, dict[str, float | None]] = {
        name: {currency: model[name].of(counts, currency) for currency in currencies}
        for name in ("revenue", "net_revenue")
    }
    found["unverified_share"] = {
        currency: share
        for currency in currencies
        if (share := model["unverified_share"].of(counts, currency)) is not None
    }
    counted = ("refunded", "unverified_revenue")
    return found | {name: dict(prefixed(counts, f"{name}_")) for name in counted}


def prefixed(counts: Counter[str], prefix: str) -> dict[str, int]:
    """Return the counters of a family by what follows its prefix, sorted."""
    return {name.removeprefix(prefix): counts[name] for name in sorted(counts) if name.startswith(prefix)}
