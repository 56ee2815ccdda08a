"""The answers about a game as it is played now, and what its days add up to; with units."""

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, Field

from metrics_api.models import Answer, Count, Game, Money, Range, Timestamp, metric

Share = Annotated[float, Field(ge=0, le=1, examples=[0.42])]


class GameName(BaseModel):
    """One registered game."""

    game_id: Game
    name: Annotated[str, Field(description="Its title.", examples=["Space Race"])]
    status: Annotated[
        str, Field(description="active, or disabled: its events are refused.", examples=["active"])
    ]


class Games(Answer):
    """Every registered game, by id."""

    games: list[GameName]


Capped = Annotated[
    bool,
    Field(description="True where names beyond a day's limit, or beyond the answer's, are in `other`."),
]


class Percentiles(BaseModel):
    """A distribution; each value is at most 2.5 % off."""

    p5: float
    p50: float
    p95: float
    p99: float


class Performance(BaseModel):
    """What devices measured; null where nothing was."""

    platform: Annotated[str, Field(examples=["ios"])]
    app_version: Annotated[str, Field(description="MAJOR.MINOR.PATCH.", examples=["1.4.0"])]
    performance_events: Annotated[Count, Field(description="Performance events with one of these.")]
    fps: Annotated[Percentiles | None, Field(description="Frames per second.")] = None
    frame_time_ms: Annotated[Percentiles | None, Field(description="Milliseconds a frame.")] = None
    latency_ms: Annotated[
        Percentiles | None, Field(description="Round trip to the server, milliseconds.")
    ] = None
    load_time_ms: Annotated[Percentiles | None, Field(description="Loading, milliseconds.")] = None


class Minute(BaseModel):
    """What happened in one minute, by the time of the event."""

    minute: Annotated[Timestamp, Field(description="Its start (UTC).")]
    events: Annotated[Count, metric("events")]
    active_players: Annotated[Count, metric("active_players")]
    concurrent_players: Annotated[Count, metric("concurrent_players")]
    session_starts: Annotated[Count, metric("session_starts")]
    purchase_events: Annotated[Count, metric("purchase_events")]
    errors: Annotated[Count, metric("errors")]
    crash_events: Annotated[Count, metric("crash_events")]
    reported_revenue: Annotated[dict[str, int], metric("reported_revenue")]
    unverified_reported_revenue: Annotated[dict[str, int], metric("unverified_reported_revenue")]
    unverified_reported_share: Annotated[dict[str, float], metric("unverified_reported_share")]


class Today(BaseModel):
    """The UTC day so far."""

    date: dt.date
    events: Annotated[Count, metric("events")]
    active_players: Annotated[Count, metric("active_players")]
    new_players: Annotated[Count, metric("new_players")]
    session_starts: Annotated[Count, metric("session_starts")]
    purchases: Annotated[Count, metric("purchases")]
    revenue: Money
    unverified_revenue: Annotated[dict[str, int], metric("unverified_revenue", examples=[{"EUR": 499}])]
    unverified_share: Annotated[dict[str, float], metric("unverified_share", examples=[{"EUR": 0.004}])]
    refunds: Annotated[Count, metric("refunds")]
    refunded: Annotated[dict[str, int], metric("refunded")]
    net_revenue: Annotated[dict[str, int], metric("net_revenue")]


class Live(Answer):
    """A game now. Events up to an hour late count in the minute they happened."""

    game_id: Game
    concurrent_players: Annotated[Count, metric("concurrent_players")]
    active_players: Annotated[Count, metric("active_players", "Of the last full minute.")]
    events_per_second: Annotated[float, Field(ge=0, description="Mean of the last full minute.")]
    today: Today
    minutes: Annotated[
        list[Minute], Field(description="Oldest first, the running minute last, none left out.")
    ]
    events_by_type: Annotated[dict[str, int], Field(description="Over the minutes.")]
    performance: Annotated[
        list[Performance],
        Field(
            description="Over the hours of the minutes, most performance events first; the rest is `other`."
        ),
    ]
    capped: Capped


class Level(BaseModel):
    """Attempts of a level."""

    level: Annotated[str, Field(description="level_1 of the progression events.", examples=["forest"])]
    starts: Annotated[Count, metric("starts")]
    completes: Annotated[Count, metric("completes")]
    fails: Annotated[Count, metric("fails")]
    completion: Annotated[Share | None, metric("completion")]


class Step(BaseModel):
    """A step of the funnel."""

    step: Annotated[str, Field(examples=["completed a level"])]
    step_players: Annotated[Count, metric("step_players")]
    # A player who pays on a day counts there, although another day has the level: shares may pass 1.
    step_share: Annotated[float | None, metric("step_share", ge=0)]


class Funnel(Range, Answer):
    """How far players get."""

    steps: list[Step]
    levels: Annotated[
        list[Level], Field(description="Most starts first: the largest 100, the rest as `other`.")
    ]
    capped: Capped


class Flow(BaseModel):
    """What one reason moved."""

    reason: Annotated[str, Field(examples=["quest"])]
    flow: Annotated[str, Field(description="source or sink.", examples=["source"])]
    amount: Annotated[Count, metric("amount")]


class Currency(BaseModel):
    """What came in and went out of a virtual currency."""

    currency: Annotated[str, Field(examples=["gold"])]
    source: Annotated[Count, metric("source")]
    sink: Annotated[Count, metric("sink")]
    net: Annotated[int, Field(description="source - sink.")]
    reasons: Annotated[list[Flow], Field(description="Largest first.")]


class Economy(Range, Answer):
    """The virtual economy."""

    currencies: Annotated[
        list[Currency],
        Field(
            description="The largest flows of each currency, 100 in all; the rest of a currency is its reason"
            " `other`. Names beyond a day's limit are the currency `other`: its amounts have several units."
        ),
    ]
    capped: Capped


class Cohort(BaseModel):
    """Players by the day of their first event."""

    install_date: dt.date
    cohort_players: Annotated[Count, metric("cohort_players")]
    retained_players: Annotated[
        list[int | None],
        metric("retained_players", "One for each N from 0 on, null: the day is not over yet."),
    ]
    retention: Annotated[list[Share | None], metric("retention", "One for each N from 0 on.")]


class Retention(Range, Answer):
    """Classic retention, a cohort a day."""

    cohorts: list[Cohort]
