"""Which variant of an experiment is better: gold's sums, judged as the weekly report judges them."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from telemetry import experiments, lake_reader, metric_model
from telemetry.metric_model import Metric, Table
from telemetry.store import store

from metrics_api import verdict_models as models
from metrics_api.history_models import HistoryMetric
from metrics_api.history_query import Days
from metrics_api.lake_answers import PENDING, Reader, read, today
from metrics_api.parameters import MAX_DAYS, PLAIN, CalendarDay, GameId, cached, invalid, now
from metrics_api.problems import RESPONSES

# Clients name the variants. The rest of them are left out.
MAX_VARIANTS = 50

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
        Query(min_length=1, max_length=128, pattern=PLAIN, description="The experiment."),
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
    numbers = sorted({0, *(number for _, days in compared for number in days)})
    last = last or today()
    days = Days(last - timedelta(days=MAX_DAYS - 1), last)
    filters = {"experiment": experiment, **({"currency": currency} if currency else {})}
    shares = store().experiment_shares(game_id, experiment)
    first = sorted({experiments.CONTROL, *(shares or {})})
    as_of = now()
    answers = read(lake, [_query(table, game_id, days, filters, numbers, facts, first)], invalid)
    found: dict[int, dict[str, dict[str, float]]] = defaultdict(dict)
    has_more = False
    for place, variant, number, *values in answers.results[0].rows:
        if int(place) > MAX_VARIANTS:
            has_more = True
            continue
        found[int(number)][str(variant)] = dict(zip(facts, map(float, values), strict=True))
    samples, is_unequal = _samples(found, shares)
    return models.Verdicts(
        game_id=game_id,
        experiment=experiment,
        currency=currency,
        to=last,
        samples=samples,
        samples_day=min(found, default=None),
        is_unequal=is_unequal,
        has_more_variants=has_more,
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


def _query(
    table: Table,
    game_id: str,
    days: Days,
    filters: Mapping[str, str],
    numbers: Sequence[int],
    facts: Sequence[str],
    first: Sequence[str],
) -> lake_reader.Query:
    """Return the SQL of the sums of each variant and day number, with the place of the variant.

    The variants named `first` come first, then those with most players: one more than are answered.
    """
    day, sums = table.day_column, ", ".join(f"{table.metrics[fact].sql()} AS {fact}" for fact in facts)
    where = ["game_id = ?", f"{day} BETWEEN CAST(? AS date) AND CAST(? AS date)"]
    where += [f"{column} = ?" for column in filters]
    where.append(f"day_number IN ({', '.join(map(str, numbers))})")
    named = ", ".join("?" for _ in first)
    sql = (
        f"SELECT place, variant, day_number, {', '.join(facts)}\nFROM (\n"
        "SELECT *, dense_rank() OVER (ORDER BY is_named DESC, players DESC, variant) AS place\nFROM (\n"
        f"SELECT *, CASE WHEN variant IN ({named}) THEN 1 ELSE 0 END AS is_named,\n"
        "    sum(exposed_players) OVER (PARTITION BY variant) AS players\nFROM (\n"
        f"SELECT variant, day_number, {sums}\nFROM {table.name}\nWHERE {' AND '.join(where)}\n"
        "GROUP BY variant, day_number\n) AS summed\n) AS weighed\n) AS ranked\n"
        f"WHERE place <= {MAX_VARIANTS + 1}\nORDER BY variant, day_number"
    )
    values = (*first, game_id, *(one.isoformat() for one in days), *filters.values())
    return lake_reader.Query(sql, values, table.name, day, game_id, *days)


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
