"""Saved questions, and the dashboard of some of them, as the API takes and returns them."""

import re
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StrictInt,
    StrictStr,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from metrics_api.explore_models import (
    Closed,
    CohortQuestion,
    EventsQuestion,
    FunnelQuestion,
    PathsQuestion,
    RetentionQuestion,
)
from metrics_api.models import Game, Timestamp

MAX_QUESTIONS = 100
MAX_QUESTION_BYTES = 8 * 1024
MAX_TITLE = 100
MAX_SHOWN, MAX_MAILED = 12, 5
NAME = r"^[a-z0-9][a-z0-9-]{0,63}$"
LAST_VERSION = 10**9
# Ends of lines, and what shows nothing or turns the direction of what stands beside it. From Unicode's
# Default_Ignorable_Code_Point, Bidi_Control and private use, with the empty pattern of Braille.
HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
# Letters of some scripts and emoji are made with these. After a letter of ASCII they have no meaning, but for
# the keys of a telephone.
JOINED = re.compile(
    "(?<=[^\x00-\x7f])[\u180b-\u180d\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]"
    "|(?<=[0-9#*])\ufe0f(?=\u20e3)"
)

Name = Annotated[
    str,
    Path(
        pattern=NAME,
        description="The question's name in addresses.",
        examples=["buyers-by-week"],
    ),
]


def one_line(text: str) -> str:
    """Return text whose characters are all seen. Raises PydanticCustomError for other text."""
    if found := HIDDEN.search(JOINED.sub("", text)):
        code = f"U+{ord(found.group()):04X}"
        raise PydanticCustomError("one_line", "give one line of visible text: {code} is none", {"code": code})
    return text


Title = Annotated[
    StrictStr,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TITLE),
    AfterValidator(one_line),
    Field(description="What people read: one line of visible text.", examples=["Buyers by week"]),
]


def _of_no_player(document: Any) -> Any:
    if isinstance(document, dict) and document.get("kind") == "player":
        raise ValueError("a question about one player is not saved: the id would outlive an erasure")
    return document


SavableQuestion = Annotated[
    CohortQuestion | EventsQuestion | FunnelQuestion | PathsQuestion | RetentionQuestion,
    Field(discriminator="kind"),
    BeforeValidator(_of_no_player),
]
Version = Annotated[int, Field(ge=1, description="It grows by 1 with each replacement.")]


class Save(Closed):
    """A question to save."""

    title: Title
    question: Annotated[
        SavableQuestion,
        Field(
            description="As `POST /explore` takes it, but about no single player.",
            examples=[{"kind": "cohort", "event": "purchase", "at_least": 2}],
        ),
    ]
    version: Annotated[
        StrictInt,
        Field(ge=0, le=LAST_VERSION, description="The version that is replaced; 0 for a new question."),
    ] = 0


class SavedTitle(BaseModel):
    """A saved question without its document."""

    name: Annotated[str, Field(examples=["buyers-by-week"])]
    title: Annotated[str, Field(examples=["Buyers by week"])]
    kind: Literal["cohort", "events", "funnel", "paths", "retention"]
    owner: Annotated[
        str,
        Field(description="Who saved it first: a person's `sub` in the user pool, or a principal's ARN."),
    ]
    may_change: Annotated[bool, Field(description="Whether the caller may replace and delete it.")]
    version: Version
    created_at: Timestamp
    updated_at: Annotated[Timestamp, Field(description="When it was saved last (UTC).")]


class SavedQuestion(SavedTitle):
    """A saved question."""

    game_id: Game
    question: Annotated[dict[str, Any], Field(description="The document as it was saved, without `format`.")]
    may_be_mailed: Annotated[
        bool,
        Field(description="Whether a weekly report may bring it: it tells no single players apart."),
    ]


class SavedQuestions(BaseModel):
    """The saved questions of a game."""

    game_id: Game
    questions: Annotated[list[SavedTitle], Field(description="By title.")]
    may_save: Annotated[bool, Field(description="Whether the caller may save questions of this game.")]
    max_questions: Annotated[int, Field(description="Questions that a game may have.")] = MAX_QUESTIONS


def _few(names: Any) -> Any:
    """Refuse a long list before its names are looked at."""
    if isinstance(names, list) and len(names) > MAX_SHOWN:
        raise ValueError(f"a dashboard shows at most {MAX_SHOWN} questions: take one off first")
    return names


def _few_mailed(names: Any) -> Any:
    if isinstance(names, list) and len(names) > MAX_MAILED:
        raise ValueError(f"a weekly report brings at most {MAX_MAILED} questions: mail another one no more")
    return names


def _once(names: list[str]) -> list[str]:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise ValueError(f"{name} is named twice")
    return names


class ChosenQuestions(Closed):
    """What a dashboard is to show."""

    questions: Annotated[
        list[Annotated[StrictStr, StringConstraints(pattern=NAME)]],
        BeforeValidator(_few),
        AfterValidator(_once),
        Field(
            description="Names of saved questions in the order of the dashboard.",
            examples=[["buyers-by-week"]],
            json_schema_extra={"maxItems": MAX_SHOWN, "uniqueItems": True},
        ),
    ]
    mailed: Annotated[
        list[Annotated[StrictStr, StringConstraints(pattern=NAME)]],
        BeforeValidator(_few_mailed),
        AfterValidator(_once),
        Field(
            default_factory=list,
            description="Those of the questions that the weekly report brings.",
            json_schema_extra={"maxItems": MAX_MAILED, "uniqueItems": True},
        ),
    ]
    version: Annotated[
        StrictInt,
        Field(ge=0, le=LAST_VERSION, description="The version that is replaced; 0 for the first one."),
    ]


class Dashboard(BaseModel):
    """The questions that a game's dashboard shows."""

    game_id: Game
    questions: Annotated[list[SavedQuestion], Field(description="In the order of the dashboard.")]
    mailed: Annotated[list[str], Field(description="Names of those that the weekly report brings.")]
    may_change: Annotated[bool, Field(description="Whether the caller may choose other questions.")]
    version: Annotated[
        int, Field(ge=0, description="It grows by 1 with each change; 0 before the first one.")
    ]
    updated_at: Annotated[Timestamp | None, Field(description="When it was changed last (UTC); null: never.")]
    max_questions: Annotated[int, Field(description="Questions that a dashboard may show.")] = MAX_SHOWN
    max_mailed: Annotated[int, Field(description="Questions that a weekly report may bring.")] = MAX_MAILED
