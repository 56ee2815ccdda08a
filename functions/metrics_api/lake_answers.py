"""What the answers from the lake share: the days they are about, kept results, cost, CSV, and refusals."""

import csv
import io
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from telemetry.lake_reader import (
    LakeReader,
    Query,
    Result,
    StillRunning,
    TooMuchToScan,
    Unanswered,
    Version,
    reader,
)

from metrics_api import history_models as models
from metrics_api.history_query import MAX_ROWS, Days
from metrics_api.parameters import now
from metrics_api.problems import RETRY

DEFAULT_DAYS = 28
KEPT_ANSWERS = 64
USD_PER_BYTE = 5 / 1024**4
# A spreadsheet runs a cell that begins so. Names of versions, campaigns and currencies come from clients.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
CSV: dict[str, Any] = {"content": {"text/csv": {"schema": {"type": "string"}}}}
PENDING: dict[int | str, dict[str, Any]] = {
    202: {"model": models.Pending, "description": "The query goes on: ask the same again."}
}
# Makes the error of a parameter, or of a field of a question, with the reason.
Refuse = Callable[[str, str], Exception]


def lake_reader() -> LakeReader:
    """Return what answers queries of the lake; 503 where the API runs without a lake."""
    try:
        return reader()
    except Unanswered as error:
        raise HTTPException(503, str(error), RETRY) from error


Reader = Annotated[LakeReader, Depends(lake_reader)]


class Kept:
    """The newest answers, by question and version of the table."""

    def __init__(self, size: int) -> None:
        """Keep as many as this."""
        self._size, self._answers, self._lock = size, OrderedDict[Any, Result](), Lock()

    def get(self, key: Any) -> Result | None:
        """Return an answer that is kept."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def keep(self, key: Any, result: Result) -> None:
        """Keep one, in place of the one that nobody asked for longest."""
        with self._lock:
            self._answers[key] = result
            if len(self._answers) > self._size:
                self._answers.popitem(last=False)

    def cache_clear(self) -> None:
        """Drop all answers."""
        self._answers.clear()


kept = Kept(KEPT_ANSWERS)


class Answers(NamedTuple):
    """The results of queries, in their order, of one version of the table."""

    version: Version
    results: list[Result]
    cost: models.Cost


def read(lake: LakeReader, queries: Sequence[Query], refuse: Refuse) -> Answers:
    """Return the results of queries of one table. Raises StillRunning, or what refuses the request."""
    running: list[str] = []

    def result(query: Query) -> tuple[Result, bool] | None:
        try:
            return _result(lake, version, query)
        except StillRunning as still:
            running.extend(still.queries)
            return None

    try:
        version = lake.version(queries[0].table)
        with ThreadPoolExecutor(len(queries)) as threads:
            answered = list(threads.map(result, queries))
    except TooMuchToScan:
        raise refuse("from", "the query reads more than it may: ask for fewer days") from None
    except Unanswered as error:
        raise HTTPException(503, str(error), RETRY) from error
    found = [one for one in answered if one]
    if len(found) < len(answered):
        raise StillRunning(*running)
    if any(len(result.rows) > MAX_ROWS for result, _ in found):
        raise refuse(
            "by", f"the answer has more than {MAX_ROWS} rows: ask for fewer days, a longer grain, or a filter"
        )
    results = [result for result, _ in found]
    return Answers(version, results, _cost(results, all(was_kept for _, was_kept in found)))


def _result(lake: LakeReader, version: Version, query: Query) -> tuple[Result, bool]:
    """Return the rows, and whether they were kept from an earlier question."""
    if version.id and (result := kept.get((version, query))):
        return result, True
    result = lake.run(query, version)
    if len(result.rows) <= MAX_ROWS:
        kept.keep((version, query), result)
    return result, False


def _cost(results: list[Result], was_kept: bool) -> models.Cost:
    if was_kept:
        return models.Cost(scanned_bytes=0, usd=0, kept=True)
    scanned = [result.scanned_bytes for result in results if result.scanned_bytes is not None]
    billed = [result.billed_bytes for result in results if result.billed_bytes is not None]
    return models.Cost(
        scanned_bytes=sum(scanned) if scanned else None,
        usd=sum(billed) * USD_PER_BYTE if billed else None,
        kept=False,
    )


def still_running(request: Request, error: Exception) -> Response:
    """Answer that the query goes on: whoever asks the same again gets its result."""
    headers = {"Retry-After": "1", "Cache-Control": "no-store"}
    queries = list(error.queries) if isinstance(error, StillRunning) else []
    return JSONResponse(models.Pending(queries=queries, as_of=now()).model_dump(), 202, headers)


def days_of(first: date | None, last: date | None, at_most: int, refuse: Refuse) -> Days:
    """Return the range that is asked for, 28 days to today where none is."""
    last = last or today()
    first = first or last - timedelta(days=DEFAULT_DAYS - 1)
    count = (last - first).days + 1
    if count < 1:
        raise refuse("from", f"{first} is after {last}, the last day")
    if count > at_most:
        raise refuse("from", f"{count} days are asked for, at most {at_most} are answered")
    return Days(first, last)


def today() -> date:
    """Return the UTC day that is not over."""
    return datetime.now(UTC).date()


def day(value: Any) -> date:
    """Return a day of Athena's text, or of a reader that has dates and times."""
    return date.fromisoformat(str(value)[:10])


def csv_file(name: str, lines: Iterable[Sequence[Any]]) -> Response:
    """Return lines as a file that a spreadsheet shows, and of which it runs nothing."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in line] for line in lines)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        "Cache-Control": "private, max-age=5",
    }
    return Response(text.getvalue(), headers=headers, media_type="text/csv; charset=utf-8")


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
