"""Which variant of an experiment is better: gold's sums, judged as the weekly report judges them."""

import math
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from telemetry import experiments, metric_model
from telemetry.metric_model import Metric
from telemetry.store import store

from metrics_api import verdict_models as models
from metrics_api.history_models import HistoryMetric
from metrics_api.history_query import Days, Question
from metrics_api.lake_answers import PENDING, Reader, read, today
from metrics_api.parameters import MAX_DAYS, CalendarDay, GameId, cached, invalid, now
from metrics_api.problems import RESPONSES

# By day after the exposure and variant: the sums that a metric is judged by.
Facts = Mapping[int, Mapping[str, Mapping[str, float]]]

verdicts = APIRouter(
    prefix="/v1/games/{game_id}", tags=["history"], dependencies=[Depends(cached)], responses=RESPONSES
)


@verdicts.get("/verdicts", summary="Which variant of an experiment is better", responses={**PENDING})
def read_verdicts(
    game_id: GameId,
    lake: Reader,
    experiment: Annotated[
        str,
        Query(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$", description="The experiment."),
    ],
    currency: Annotated[
        str | None, Query(pattern="^[A-Z]{3}$", description="Compare net revenue in this currency.")
    ] = None,
    last: Annotated[
        CalendarDay | None, Query(alias="to", description="Last UTC day, inclusive; today where absent.")
    ] = None,
) -> models.Verdicts:
    """Compare each variant with the control, by all exposures until the day and not by those of a range.

    Whoever chooses where a range begins chooses the result. With `currency` the metric is net revenue;
    without, it is retention, payers and sessions.
    """
    name = "experiment_revenue" if currency else "experiments"
    table = metric_model.tables()[name]
    compared = [(table.metrics[metric], days) for of, metric, days in experiments.COMPARED if of == name]
    facts = sorted({fact for metric, _ in compared for fact in experiments.facts_of(metric)})
    filters = (("experiment", experiment), *((("currency", currency),) if currency else ()))
    last = last or today()
    question = Question(
        table,
        game_id,
        Days(last - timedelta(days=MAX_DAYS - 1), last),
        "range",
        ("variant", "day_number"),
        filters,
        tuple(table.metrics[fact] for fact in facts),
    )
    as_of = now()
    answers = read(lake, [question.query()], invalid)
    found: dict[int, dict[str, dict[str, float]]] = defaultdict(dict)
    for _, variant, number, *values in answers.results[0].rows:
        found[int(number)][str(variant)] = dict(zip(facts, map(float, values), strict=True))
    shares = store().experiment_shares(game_id, experiment)
    samples, is_unequal = _samples(found, shares)
    return models.Verdicts(
        game_id=game_id,
        experiment=experiment,
        currency=currency,
        to=last,
        samples=samples,
        is_unequal=is_unequal,
        rows=[
            _compared(metric, number, found[number], shares)
            for metric, days in compared
            for number in days
            if number in found
        ],
        cost=answers.cost,
        as_of=as_of,
        updated_at=answers.version.written_at,
    )


def _samples(found: Facts, shares: Mapping[str, int] | None) -> tuple[list[models.Players], bool]:
    """Return the players of each variant on the first day that is over, and whether they are unequal."""
    if not found:
        return [], False
    players = {name: facts["exposed_players"] for name, facts in found[min(found)].items()}
    names = sorted({*players, *(shares or {})})
    return [
        models.Players(
            variant=name,
            players=int(players.get(name, 0)),
            share=shares.get(name, 0) if shares else None,
        )
        for name in names
    ], experiments.are_unequal(players, shares)


def _compared(
    metric: Metric, number: int, variants: Mapping[str, Mapping[str, float]], shares: Mapping[str, int] | None
) -> models.ComparedMetric:
    judged = experiments.judge(metric, variants, shares)
    samples = {name: experiments.sample(metric, facts) for name, facts in variants.items()}
    control = samples[judged.control]
    return models.ComparedMetric(
        metric=HistoryMetric.model_validate(metric, from_attributes=True),
        day=number,
        control=judged.control,
        players=control.players,
        value=control.mean,
        variants=[
            models.VariantVerdict(
                variant=name,
                players=samples[name].players,
                value=samples[name].mean,
                difference=one.difference,
                at_least=_known(one.always.low),
                at_most=_known(one.always.high),
                verdict=one.verdict,
            )
            for name, one in judged.comparisons.items()
        ],
    )


def _known(bound: float) -> float | None:
    """Return a bound; nothing is known of a difference where nobody differs."""
    return bound if math.isfinite(bound) else None
