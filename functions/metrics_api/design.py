"""Design events by name: a custom event has figures seconds after it is first sent."""

import datetime as dt
from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from telemetry import metric_model
from telemetry.capped_names import LABEL, OTHER, SHOWN, Rows, largest
from telemetry.store import by_name, store

from metrics_api.live_models import Capped
from metrics_api.models import Answer, Count, Range, metric
from metrics_api.parameters import GameId, Limit, NamedRange, cached, invalid, now
from metrics_api.problems import RESPONSES

MAX_DEPTH = 5
SEPARATOR = ":"
# A name has one more part than it has separators.
PARENT = f"^[A-Za-z0-9_-]{{1,128}}({SEPARATOR}[A-Za-z0-9_-]{{1,128}}){{0,{MAX_DEPTH - 2}}}$"


class DesignFigures(BaseModel):
    """Figures of design events; no sum and no mean of values whose names have nothing in common.

    Unique players of a name are in the history (gold table `design`).
    """

    design_events: Annotated[Count, metric("design_events")]
    valued_events: Annotated[Count, metric("valued_events")]
    value_sum: Annotated[float | None, metric("value_sum", examples=[412.5])]
    value_mean: Annotated[float | None, metric("value_mean", examples=[8.25])]


class DesignDay(DesignFigures):
    """One UTC day."""

    date: dt.date


class DesignRow(DesignFigures):
    """One name with all names below it."""

    name: Annotated[str, Field(description="Its parts, down to the depth.", examples=["boss:dragon"])]
    has_parts: Annotated[bool, Field(description="Whether longer names that begin with it were sent.")]


class Design(Range, Answer):
    """Design events by name."""

    depth: Annotated[int, Field(ge=1, le=MAX_DEPTH, description="Parts of each name.", examples=[2])]
    under: Annotated[str | None, Field(description="What all names begin with.", examples=["boss"])]
    totals: Annotated[DesignFigures, Field(description="Sums over the days, of every name under `under`.")]
    days: Annotated[list[DesignDay], Field(description="The same, every day of the range in order.")]
    names: Annotated[list[DesignRow], Field(description="Most events first, the rest as `other` at the end.")]
    capped: Capped


design = APIRouter(
    prefix="/v1/games/{game_id}", tags=["live"], dependencies=[Depends(cached)], responses=RESPONSES
)


@design.get("/design", summary="Design events by name")
def read_design(
    game_id: GameId,
    days: NamedRange,
    depth: Annotated[
        int | None,
        Query(ge=1, le=MAX_DEPTH, description="Parts of the names; one more than `under` where absent."),
    ] = None,
    under: Annotated[
        str | None,
        Query(pattern=PARENT, max_length=128, description="Only names that begin with these parts."),
    ] = None,
    limit: Limit = SHOWN,
) -> Design:
    """Count design events and sum their values by name, on the days they happened.

    `boss:dragon:killed` counts for `boss` at depth 1 and for `boss:dragon` at depth 2.
    """
    above = under.split(SEPARATOR) if under else []
    depth = depth or len(above) + 1
    if depth <= len(above):
        raise invalid("depth", f"{under} has {len(above)} parts: give a larger depth")
    as_of = now()
    partitions = store().rows([f"{game_id}#{day}#designs" for day in days])
    by_day = [_under(by_name([rows], 1), above) for rows in partitions]
    every = _under(by_name(partitions, 1), above)
    shown = largest(_at(every, depth), lambda counts: counts["design_events"], limit)
    longer = {_first(name, depth) for (name,) in every if name.count(SEPARATOR) >= depth}
    return Design(
        game_id=game_id,
        from_=days[0],
        to=days[-1],
        as_of=as_of,
        updated_at=max((row["updated_at"] for found in partitions for row in found), default=None),
        depth=depth,
        under=under,
        totals=DesignFigures.model_validate(_figures(_total(every), under or LABEL)),
        days=[
            DesignDay.model_validate({**_figures(_total(rows), under or LABEL), "date": day})
            for day, rows in zip(days, by_day, strict=True)
        ],
        names=sorted(
            (
                DesignRow.model_validate(
                    {**_figures(counts, name), "name": name, "has_parts": name in longer}
                )
                for (name,), counts in shown.rows.items()
            ),
            key=lambda row: (row.name == LABEL, -row.design_events, row.name),
        ),
        # Names beyond a day's limit may begin with any part.
        capped=shown.capped or any(row["shard"].startswith(OTHER) for rows in partitions for row in rows),
    )


def _first(name: str, parts: int) -> str:
    return SEPARATOR.join(name.split(SEPARATOR)[:parts])


def _under(rows: Rows, above: list[str]) -> Rows:
    """Return the rows of names that begin with some parts and have more."""
    if not above:
        return rows
    begin = SEPARATOR.join(above) + SEPARATOR
    return {(name,): counts for (name,), counts in rows.items() if name.startswith(begin)}


def _at(rows: Rows, depth: int) -> Rows:
    """Return the counters by the first parts of each name that has so many."""
    found: Rows = {}
    for (name,), counts in rows.items():
        if name == OTHER or name.count(SEPARATOR) >= depth - 1:
            found.setdefault((_first(name, depth),), Counter()).update(counts)
    return found


def _total(rows: Rows) -> Counter[str]:
    total: Counter[str] = Counter()
    for counts in rows.values():
        # Adding counters with + would drop a sum below nothing.
        total.update(counts)
    return total


def _figures(counts: Counter[str], name: str) -> dict[str, float | None]:
    model = metric_model.live()
    found = {one: model[one].of(counts) for one in ("design_events", "valued_events")}
    return found | {
        one: None if name == LABEL else model[one].of(counts) for one in ("value_sum", "value_mean")
    }
