"""What advertising for players cost, and its return: uploaded costs beside what gold knows of installs."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from telemetry import ad_spend
from telemetry.store import store

from metrics_api import history_models as models
from metrics_api.lake import Query as LakeQuery
from metrics_api.lake_answers import PENDING, Reader, days_of, read
from metrics_api.parameters import MAX_DAYS, CalendarDay, GameId, cached, invalid, now
from metrics_api.problems import RESPONSES

returns = APIRouter(
    prefix="/v1/games/{game_id}", tags=["history"], dependencies=[Depends(cached)], responses=RESPONSES
)


@returns.get("/ad-spend", summary="What advertising for players cost, and its return", responses=PENDING)
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
) -> models.Returns:
    """Compare costs that scripts/spend uploaded with the net revenue of the players of the same install days.

    Day N counts the install days whose day N is over, and the costs of the same days. Nothing is converted.
    """
    days = days_of(first, last, MAX_DAYS, invalid)
    as_of = now()
    spends = store().ad_spend(game_id, *days)
    answer = models.Returns(game_id=game_id, from_=days.first, to=days.last, as_of=as_of, by=by, rows=[])
    if not spends:
        return answer
    answers = read(lake, _queries(game_id, spends, as_of), invalid)
    known = ad_spend.history([result.rows for result in answers.results])
    return answer.model_copy(
        update={
            "rows": [_row(row) for row in ad_spend.returns(spends, known, by == "campaign")],
            "cost": answers.cost,
            "updated_at": answers.version.written_at,
        }
    )


def _queries(game_id: str, spends: list[ad_spend.Spend], as_of: str) -> list[LakeQuery]:
    first, last = spends[0].day, spends[-1].day
    columns = ("cohort_date", first, last), ("cohort_date", first, last), ("event_date", first, _day(as_of))
    return [
        LakeQuery(sql, values, ad_spend.TABLE, column, game_id, since, until)
        for (sql, values), (column, since, until) in zip(
            ad_spend.questions(game_id, spends), columns, strict=True
        )
    ]


def _day(moment: str) -> date:
    return date.fromisoformat(moment[:10])


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
