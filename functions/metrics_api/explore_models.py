"""Questions about single events as JSON documents, and their answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr
from telemetry import ids

from metrics_api.history_models import Cost, Period, Slice
from metrics_api.history_query import Grain
from metrics_api.models import Answer, Game, Range, Timestamp
from metrics_api.parameters import PLAIN, CalendarDay

MAX_COLUMNS = 2
MAX_FILTERS = 10
MAX_VALUES = 50
MAX_STEPS = 8
MAX_RETURN_DAYS = 30
MAX_DEPTH, MAX_WIDTH = 5, 10
MAX_WINDOW_MINUTES = 30 * 24 * 60
MAX_TIMES = 1000
MAX_EVENTS = 200
LARGEST = 10**15

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[a-z0-9_.]+$")]
Text = Annotated[StrictStr, Field(min_length=1, max_length=128, pattern=PLAIN)]
Whole = Annotated[StrictInt, Field(ge=-LARGEST, le=LARGEST)]
Number = Annotated[StrictFloat, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
Value = StrictBool | Whole | Number | Text


class Closed(BaseModel):
    """A part of a question. A field that it does not know is refused: its answer would be about less."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True)


class Filter(Closed):
    """Events that a question is about. An event without a value passes `is_not`, and no other comparison."""

    field: Annotated[Name, Field(examples=["payload.currency"])]
    op: Annotated[
        Literal["is", "is_not", "at_least", "at_most", "is_set", "is_not_set"],
        Field(description="is: one of the values; is_not: none of them; at_least and at_most: one number."),
    ] = "is"
    values: Annotated[list[Value], Field(max_length=MAX_VALUES, examples=[["EUR"]])] = []


class Measure(Closed):
    """What is computed of the events."""

    of: Annotated[
        Literal["count", "players", "sum", "mean", "percentile"],
        Field(description="count: events; players: unique players; others: of the values of a property."),
    ] = "count"
    field: Annotated[
        Name | None, Field(description="A number of the event.", examples=["payload.amount_minor"])
    ] = None
    percentile: Annotated[
        StrictInt | None, Field(ge=1, le=99, description="Of `percentile`: 50 is the median.", examples=[50])
    ] = None


class Chosen(Closed):
    """Events of a type, or of all types."""

    event: Annotated[
        Name | None, Field(description="Type of the events; all types where absent.", examples=["purchase"])
    ] = None
    where: Annotated[list[Filter], Field(max_length=MAX_FILTERS, description="All must hold.")] = []


Times = Annotated[
    StrictInt, Field(ge=1, le=MAX_TIMES, description="How many of these events a player has at least.")
]


class Cohort(Chosen):
    """Players who have at least so many of the chosen events on the days."""

    at_least: Times = 1
    from_: Annotated[
        CalendarDay | None,
        Field(alias="from", description="First UTC day; the question's first day where absent."),
    ] = None
    to: Annotated[
        CalendarDay | None,
        Field(description="Last UTC day, inclusive; the question's last day where absent."),
    ] = None


class Ranged(Closed):
    """What every question has."""

    from_: Annotated[
        CalendarDay | None,
        Field(alias="from", description="First UTC day; 27 days before `to` where absent."),
    ] = None
    to: Annotated[CalendarDay | None, Field(description="Last UTC day, inclusive; today where absent.")] = (
        None
    )
    format: Annotated[Literal["json", "csv"], Field(description="csv: a file for a spreadsheet.")] = "json"


class Asked(Ranged):
    """What every question about all players has."""

    cohort: Annotated[
        Cohort | None,
        Field(
            description="Only events of these players count.",
            examples=[{"event": "purchase", "at_least": 2, "from": "2026-01-01"}],
        ),
    ] = None


By = Annotated[
    list[Name],
    Field(max_length=MAX_COLUMNS, description="Fields to tell rows apart by.", examples=[["platform"]]),
]
Periods = Annotated[
    Grain | Literal["range"],
    Field(description="A row for each; weeks begin on Monday; range: one row for all days."),
]


class EventsQuestion(Asked, Chosen):
    """A figure of events over time."""

    kind: Literal["events"]
    measure: Measure = Measure()
    grain: Periods = "day"
    by: By = []


class CohortQuestion(Asked, Chosen):
    """How many players have at least so many events."""

    kind: Literal["cohort"]
    at_least: Times = 1


class FunnelQuestion(Asked):
    """How many players take steps in an order, and how long they need."""

    kind: Literal["funnel"]
    steps: Annotated[
        list[Chosen], Field(min_length=2, max_length=MAX_STEPS, description="In the order of the funnel.")
    ]
    window_minutes: Annotated[
        StrictInt,
        Field(ge=1, le=MAX_WINDOW_MINUTES, description="The most between the first and the last step."),
    ] = 24 * 60
    by: Annotated[By, Field(description="Fields of the first step's event.")] = []


class RetentionQuestion(Asked):
    """How many players come back."""

    kind: Literal["retention"]
    first: Annotated[Chosen, Field(description="What a player begins with.")] = Chosen()
    returning: Annotated[Chosen, Field(description="What a player comes back with.")] = Chosen()
    unit: Annotated[
        Literal["day", "24h"],
        Field(description="day: the first UTC day after the start is day 1; 24h: it begins 24 hours later."),
    ] = "day"
    days: Annotated[StrictInt, Field(ge=1, le=MAX_RETURN_DAYS, description="The last day number.")] = 7
    grain: Annotated[Periods, Field(description="A cohort for each, by the day of the start.")] = "day"
    by: Annotated[By, Field(description="Fields of the event that a player begins with.")] = []


class PathsQuestion(Asked):
    """What follows or precedes an event in a session."""

    kind: Literal["paths"]
    event: Annotated[
        Name, Field(description="Type of the event that a path begins with.", examples=["purchase"])
    ]
    where: Annotated[list[Filter], Field(max_length=MAX_FILTERS, description="All must hold.")] = []
    direction: Literal["after", "before"] = "after"
    depth: Annotated[StrictInt, Field(ge=1, le=MAX_DEPTH, description="Events of a path.")] = 3
    width: Annotated[
        StrictInt, Field(ge=1, le=MAX_WIDTH, description="Event types of a level; the rest are `other`.")
    ] = 5
    leave_out: Annotated[
        list[Name],
        Field(
            max_length=MAX_FILTERS,
            description="Event types that are passed over.",
            examples=[["session_heartbeat"]],
        ),
    ] = []


class PlayerQuestion(Ranged):
    """The newest events of one player, and how many there are."""

    kind: Literal["player"]
    player_id: Annotated[
        StrictStr,
        Field(
            pattern=ids.PLAYER,
            description="The id as the events have it: the pseudonym where the game has them.",
            examples=["p-1001"],
        ),
    ]
    events: Annotated[StrictInt, Field(ge=1, le=MAX_EVENTS, description="The most events to return.")] = 50


class ExploreField(BaseModel):
    """A field that events can be told apart, filtered or measured by."""

    name: Annotated[str, Field(description="Its name in a question.", examples=["payload.store"])]
    kind: Annotated[
        Literal["string", "bigint", "double", "boolean"], Field(description="What its values are.")
    ]
    description: str
    values: Annotated[list[str], Field(description="The values that the schema allows; empty where any.")]
    is_money: Annotated[
        bool,
        Field(description="Amounts of one currency: it is added up only where `payload.currency` is one."),
    ]


class ExploreEvent(BaseModel):
    """An event type and its own properties."""

    name: Annotated[str, Field(examples=["purchase"])]
    label: Annotated[str, Field(examples=["Purchase"])]
    description: str
    fields: list[ExploreField]


class ExploreCatalogue(BaseModel):
    """What can be asked."""

    game_id: Game
    events: list[ExploreEvent]
    fields: Annotated[list[ExploreField], Field(description="Fields that every event has.")]
    max_days: Annotated[int, Field(description="Days that a question may be about.")]


Slices = Annotated[
    dict[str, Slice],
    Field(description="The value of each field in `by`; null: no value.", examples=[{"platform": "ios"}]),
]


class EventsRow(Period):
    """The figure of a period and slice."""

    slices: Slices
    figure: Annotated[
        int | float | None, Field(description="The measure; null where no event has a value of the field.")
    ]
    events: Annotated[int, Field(description="Events behind the figure: for a field, those with a value.")]


class CohortRow(BaseModel):
    """The players of a cohort."""

    players: Annotated[int, Field(ge=0, description="Players who have at least so many of the events.")]
    events: Annotated[int, Field(ge=0, description="How many of the events these players have together.")]


class FunnelRow(BaseModel):
    """A step of a slice."""

    slices: Slices
    step: Annotated[int, Field(ge=1, description="Number of the step, from 1.")]
    event: Annotated[str | None, Field(description="Type of the step's events; null: all types.")]
    players: Annotated[int, Field(ge=0, description="Players who came as far as this step.")]
    of_first: Annotated[float, Field(ge=0, le=1, description="Their share of the players of the first step.")]
    of_previous: Annotated[
        float | None,
        Field(ge=0, le=1, description="Their share of the players of the step before; null without any."),
    ]
    median_seconds: Annotated[
        float | None,
        Field(
            ge=0,
            description="Median time since the step before; null for the first step, or without players.",
        ),
    ]


class RetentionDay(BaseModel):
    """A day after the start."""

    day: Annotated[int, Field(ge=0, description="Number of the day; the start is on day 0.")]
    players: Annotated[int, Field(ge=0, description="Players of the cohort for whom this day is over.")]
    returned: Annotated[int, Field(ge=0, description="Players of these who came back on this day.")]
    share: Annotated[float | None, Field(ge=0, le=1, description="Their share; null without players.")]


class RetentionRow(Period):
    """A cohort and slice: the players whose start is on these days."""

    slices: Slices
    players: Annotated[int, Field(ge=1, description="Players of the cohort.")]
    days: list[RetentionDay]


class PathLink(BaseModel):
    """From one event of a session to the next one."""

    level: Annotated[int, Field(ge=1, description="1: from the event that the path begins with.")]
    source: Annotated[str, Field(description="Event type, or other.", examples=["purchase"])]
    target: Annotated[
        str | None,
        Field(description="Type of the next event (with before: of the previous one), or other; null: none."),
    ]
    sessions: Annotated[int, Field(ge=1, description="Sessions that went this way.")]


class PlayerEvent(BaseModel):
    """An event of the player."""

    at: Annotated[Timestamp, Field(description="When it happened (UTC), the client's clock corrected.")]
    event_type: Annotated[str, Field(examples=["purchase"])]
    event_id: str
    session_id: str
    sequence: Annotated[int | None, Field(description="Its number within the session.")]
    platform: str | None
    country: str | None
    app_version: str | None
    payload: Annotated[
        dict[str, bool | int | float | str],
        Field(
            description="Properties of the event's schema that have a value, without free fields.",
            examples=[{"currency": "EUR", "amount_minor": 499}],
        ),
    ]


class PlayerProfile(BaseModel):
    """All events of the player on the asked days, and not only those that are returned."""

    events: Annotated[int, Field(ge=1)]
    sessions: Annotated[int, Field(ge=1, description="Sessions with an event.")]
    first_at: Annotated[Timestamp, Field(description="When the first event happened (UTC).")]
    last_at: Annotated[Timestamp, Field(description="When the last event happened (UTC).")]


class ExploreAnswer(Answer, Range):
    """What every answer has."""

    cost: Cost


class EventsAnswer(ExploreAnswer):
    """A figure of events over time."""

    kind: Literal["events"] = "events"
    rows: Annotated[
        list[EventsRow], Field(description="By first day; a period or slice without events is left out.")
    ]


class CohortAnswer(ExploreAnswer):
    """How many players a cohort has."""

    kind: Literal["cohort"] = "cohort"
    rows: Annotated[list[CohortRow], Field(description="One row.")]


class FunnelAnswer(ExploreAnswer):
    """Players by step."""

    kind: Literal["funnel"] = "funnel"
    rows: Annotated[list[FunnelRow], Field(description="All steps of each slice that has players.")]


class RetentionAnswer(ExploreAnswer):
    """Players who come back, by cohort."""

    kind: Literal["retention"] = "retention"
    rows: Annotated[
        list[RetentionRow], Field(description="By first day; a cohort or slice without players is left out.")
    ]


class PathsAnswer(ExploreAnswer):
    """The links of the paths."""

    kind: Literal["paths"] = "paths"
    rows: Annotated[list[PathLink], Field(description="By level, the most frequent first.")]


class PlayerAnswer(ExploreAnswer):
    """One player's events."""

    kind: Literal["player"] = "player"
    profile: Annotated[PlayerProfile | None, Field(description="null where the player has no events.")]
    rows: Annotated[list[PlayerEvent], Field(description="The newest first.")]


Question = Annotated[
    CohortQuestion | EventsQuestion | FunnelQuestion | PathsQuestion | PlayerQuestion | RetentionQuestion,
    Field(discriminator="kind"),
]
AnyAnswer = Annotated[
    CohortAnswer | EventsAnswer | FunnelAnswer | PathsAnswer | PlayerAnswer | RetentionAnswer,
    Field(discriminator="kind"),
]
