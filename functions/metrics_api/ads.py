"""What advertisements earn: by day, and by network, placement and format."""

import datetime as dt
from collections import Counter
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from telemetry import metric_model
from telemetry.capped_names import LABEL, OTHER, SHOWN, Name, Rows, largest
from telemetry.store import by_name, store

from metrics_api.live_models import Capped, Share
from metrics_api.models import Answer, Count, Range, metric, prefixed
from metrics_api.parameters import GameId, Limit, NamedRange, cached, now
from metrics_api.problems import RESPONSES

PARTS = ("network", "placement", "format")
PRICED = "impressions_"

By = Literal["ad", "network", "placement", "format"]
Micros = Annotated[dict[str, int], metric("ad_revenue_micros", examples=[{"USD": 12_500_000}])]
Ecpm = Annotated[dict[str, float], metric("ad_ecpm_micros", examples=[{"USD": 4_166_666.67}])]
Arpdau = Annotated[dict[str, float], metric("ad_arpdau_micros", examples=[{"USD": 9_615.4}])]


class AdFigures(BaseModel):
    """Figures of ad impressions."""

    impressions: Annotated[Count, metric("impressions")]
    completed_impressions: Annotated[Count, metric("completed_impressions")]
    completed_share: Annotated[Share | None, metric("completed_share")]
    ad_revenue_micros: Micros
    ad_ecpm_micros: Ecpm


class AdDay(AdFigures):
    """One UTC day."""

    date: dt.date
    ad_arpdau_micros: Arpdau


class AdRow(AdFigures):
    """One advertisement; a part is null where the answer adds up over it."""

    network: Annotated[str | None, Field(description="Advertising network.", examples=["admob"])] = None
    placement: Annotated[str | None, Field(description="Place in the game.", examples=["level_end"])] = None
    format: Annotated[str | None, Field(description="Kind of advertisement.", examples=["rewarded"])] = None


class Ads(Range, Answer):
    """What advertisements earn."""

    totals: Annotated[AdFigures, Field(description="Sums over the days.")]
    ad_arpdau_micros: Arpdau
    days: Annotated[list[AdDay], Field(description="Every day of the range in order.")]
    ads: Annotated[list[AdRow], Field(description="Most impressions first, the rest as `other` at the end.")]
    capped: Capped


ads = APIRouter(
    prefix="/v1/games/{game_id}", tags=["live"], dependencies=[Depends(cached)], responses=RESPONSES
)


@ads.get("/ads", summary="What advertisements earn")
def read_ads(
    game_id: GameId,
    days: NamedRange,
    by: Annotated[
        By, Query(description="Rows by network, placement or format; `ad` tells all three apart.")
    ] = "ad",
    limit: Limit = SHOWN,
) -> Ads:
    """Sum impressions and revenue on the days they happened; currencies are never converted."""
    as_of = now()
    partitions = store().rows([f"{game_id}#{day}#ads" for day in days])
    tallies = store().game_days(game_id, days)
    by_day = [
        sum(by_name([rows], 0).values(), Counter[str]())
        + Counter(active_players=tally.counts["active_players"])
        for rows, tally in zip(partitions, tallies, strict=True)
    ]
    total = sum(by_day, Counter[str]())
    rows = largest(_grouped(by_name(partitions, len(PARTS)), by), lambda counts: counts["impressions"], limit)
    return Ads(
        game_id=game_id,
        from_=days[0],
        to=days[-1],
        as_of=as_of,
        updated_at=max((row["updated_at"] for found in partitions for row in found), default=None),
        totals=AdFigures.model_validate(_figures(total)),
        ad_arpdau_micros=_money("ad_arpdau_micros", total),
        days=[
            AdDay.model_validate(
                {**_figures(counts), "date": day, "ad_arpdau_micros": _money("ad_arpdau_micros", counts)}
            )
            for day, counts in zip(days, by_day, strict=True)
        ],
        ads=sorted(
            (
                AdRow.model_validate({**_figures(counts), **dict(zip(_parts(by), name, strict=True))})
                for name, counts in rows.rows.items()
            ),
            key=lambda row: (
                LABEL in (row.network, row.placement, row.format),
                -row.impressions,
                *(part or "" for part in (row.network, row.placement, row.format)),
            ),
        ),
        capped=rows.capped,
    )


def _parts(by: By) -> tuple[str, ...]:
    return PARTS if by == "ad" else (by,)


def _grouped(rows: Rows, by: By) -> Rows:
    """Return the counters by the parts of a name that the answer tells apart."""
    places = [PARTS.index(part) for part in _parts(by)]
    found: Rows = {}
    for name, counts in rows.items():
        kept: Name = (OTHER,) * len(places) if OTHER in name else tuple(name[place] for place in places)
        found.setdefault(kept, Counter()).update(counts)
    return found


def _figures(counts: Counter[str]) -> dict[str, object]:
    model = metric_model.live()
    plain = ("impressions", "completed_impressions", "completed_share")
    return {name: model[name].of(counts) for name in plain} | {
        name: _money(name, counts) for name in ("ad_revenue_micros", "ad_ecpm_micros")
    }


def _money(name: str, counts: Counter[str]) -> dict[str, float]:
    """Return a metric by currency, where it can be told."""
    found = metric_model.live()[name]
    values = ((currency, found.of(counts, currency)) for currency in prefixed(counts, PRICED))
    return {currency: value for currency, value in values if value is not None}
