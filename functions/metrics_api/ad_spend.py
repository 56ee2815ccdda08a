"""What advertising for players cost, and its return: uploaded costs beside what gold knows of installs."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from telemetry import ad_spend, metric_model
from telemetry.lake_reader import Query as LakeQuery
from telemetry.store import store

from metrics_api import history_models as models
from metrics_api.lake_answers import CSV, PENDING, Reader, csv_file, days_of, read
from metrics_api.parameters import MAX_DAYS, CalendarDay, GameId, cached, invalid, now
from metrics_api.problems import RESPONSES

returns = APIRouter(
    prefix="/v1/games/{game_id}", tags=["history"], dependencies=[Depends(cached)], responses=RESPONSES
)


METRICS = [
    models.HistoryMetric.model_validate(one, from_attributes=True) for one in metric_model.ad_spend().values()
]


@returns.get(
    "/ad-spend",
    summary="What advertising for players cost, and its return",
    response_model=models.Returns,
    responses={200: CSV, **PENDING},
)
def read_returns(
    game_id: GameId,
    lake: Reader,
    first: Annotated[
        CalendarDay | None,
        Query(alias="from", description="First install day (UTC); 27 days before `to` where absent."),
    ] = None,
    last: Annotated[
        CalendarDay | None, Query(alias="to", description="Last install day, inclusive; today where absent.")
    ] = None,
    by: Annotated[
        Literal["source", "campaign"],
        Query(description="A row for each install source and currency, or for each campaign too."),
    ] = "source",
    format_: Annotated[
        Literal["json", "csv"], Query(alias="format", description="csv: a file for a spreadsheet.")
    ] = "json",
) -> Any:
    """Compare costs that scripts/spend uploaded with the net revenue of the players of the same install days.

    Day N counts the install days whose day N is over, and the costs of the same days. Nothing is converted.
    """
    days = days_of(first, last, MAX_DAYS, invalid)
    as_of = now()
    spends = store().ad_spend(game_id, *days)
    answer = models.Returns(
        game_id=game_id, from_=days.first, to=days.last, as_of=as_of, by=by, metrics=METRICS, rows=[]
    )
    if spends:
        answers = read(lake, _queries(game_id, spends, by == "campaign"), invalid)
        known = ad_spend.history([result.rows for result in answers.results])
        answer.rows = [_row(row) for row in ad_spend.returns(spends, known, by == "campaign")]
        answer.cost, answer.updated_at = answers.cost, answers.version.written_at
    return _csv(answer) if format_ == "csv" else answer


def _queries(game_id: str, spends: list[ad_spend.Spend], by_campaign: bool) -> list[LakeQuery]:
    return [
        LakeQuery(one.sql, one.values, ad_spend.TABLE, one.day_column, game_id, one.first, one.last)
        for one in ad_spend.questions(game_id, spends, by_campaign)
    ]


def _row(row: ad_spend.Row) -> models.ReturnRow:
    return models.ReturnRow(
        install_source=row.install_source,
        campaign=row.campaign or None,
        currency=row.currency,
        spend_micros=row.spend_micros,
        cohort_players=row.cohort_players,
        cost_per_player_micros=row.cost_per_player_micros,
        returns={f"D{number}": share for number, share in zip(ad_spend.NUMBERS, row.returns, strict=True)},
    )


def _csv(answer: models.Returns) -> Response:
    """Return a line for each row, money in millionths, as for other figures of gold."""
    names = ("install_source", "campaign", "currency", "spend_micros", "cohort_players")
    numbers = [f"D{number}" for number in ad_spend.NUMBERS]
    lines: list[list[Any]] = [
        [*names, "cost_per_player_micros", *(f"return_on_ad_spend_{number}" for number in numbers)]
    ]
    for row in answer.rows:
        values = [getattr(row, name) for name in (*names, "cost_per_player_micros")]
        lines.append([*values, *(row.returns[number] for number in numbers)])
    return csv_file(f"{answer.game_id}-ad-spend-{answer.from_}-{answer.to}", lines)
