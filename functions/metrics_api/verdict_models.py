"""The answer about an experiment: which variant is better, and how sure that is."""

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, Field
from telemetry.experiments import Verdict

from metrics_api.history_models import Cost, HistoryMetric
from metrics_api.models import Answer, Game


class Players(BaseModel):
    """How many players a variant has on the day of the samples."""

    variant: Annotated[str, Field(examples=["gate_40"])]
    players: Annotated[int, Field(ge=0)]
    share: Annotated[
        int | None, Field(description="The share it is meant to have; null where all have equal ones.")
    ]


class VariantVerdict(BaseModel):
    """A variant against the control."""

    variant: Annotated[str, Field(examples=["gate_40"])]
    players: Annotated[int, Field(ge=0, description="Exposed players for whom the day is over.")]
    value: Annotated[float, Field(description="The metric of the variant.")]
    difference: Annotated[float, Field(description="The variant's value less the control's.")]
    at_least: Annotated[
        float | None,
        Field(description="The difference lies between these two, however often one looks; null: unknown."),
    ]
    at_most: float | None
    verdict: Verdict


class ComparedMetric(BaseModel):
    """A metric on a day after the exposure."""

    metric: HistoryMetric
    day: Annotated[int, Field(ge=0, description="Day N after the exposure.")]
    control: Annotated[str, Field(description="The variant that the others are compared with.")]
    players: Annotated[int, Field(ge=0, description="Of the control.")]
    value: Annotated[float, Field(description="The metric of the control.")]
    variants: Annotated[list[VariantVerdict], Field(description="The others, by name.")]


class Verdicts(Answer):
    """Which variants of an experiment are better, of all exposures until a day."""

    game_id: Game
    experiment: Annotated[str, Field(examples=["gate_level"])]
    currency: Annotated[str | None, Field(description="Of the revenue that is compared; null: no revenue.")]
    to: Annotated[dt.date, Field(description="Last UTC day, inclusive.")]
    samples: Annotated[
        list[Players], Field(description="By variant, with those that lost all their players.")
    ]
    samples_day: Annotated[
        int | None,
        Field(ge=0, description="Day N after the exposure that the samples belong to; null without any."),
    ]
    is_unequal: Annotated[
        bool, Field(description="Whether the samples are too far from their shares to be chance.")
    ]
    has_more_variants: Annotated[
        bool,
        Field(
            description="Whether variants are left out. The control, variants with a share, and then those"
            " with most players are answered, 50 in all."
        ),
    ]
    rows: Annotated[list[ComparedMetric], Field(description="A metric without any player has no row.")]
    cost: Cost
