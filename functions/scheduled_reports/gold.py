"""What gold knows of the installs that advertising paid for, asked of Athena."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from telemetry import ad_spend, logs
from telemetry.ad_spend import History, Spend
from telemetry.lake_reader import Query, reader
from telemetry.store import Store

from scheduled_reports import sections
from scheduled_reports.figures import Period
from scheduled_reports.sections import Section

# An answer takes a few seconds. All games of a run wait no longer than this together.
QUERY_SECONDS, RUN_SECONDS = 60, 240

logger = logs.logger()


class Gold:
    """The lake, for one run of the function."""

    def __init__(self) -> None:
        """Begin the time that the run may wait."""
        self._until = time.monotonic() + RUN_SECONDS

    def ad_spend(self, store: Store, game_id: str, period: Period) -> list[Section]:
        """Return the costs of a game, and their return; a game without costs asks nothing.

        A report is not late for a lake that does not answer: its costs then stand alone.
        """
        first = period.last - timedelta(ad_spend.SHOWN_DAYS - 1)
        spends = store.ad_spend(game_id, first, period.last)
        return sections.ad_spend(spends, self._known(game_id, spends)) if spends else []

    def _known(self, game_id: str, spends: Sequence[Spend]) -> History | None:
        if time.monotonic() > self._until:
            logger.error("Gold is not asked: earlier games waited too long", game_id=game_id)
            return None
        queries = [
            Query(one.sql, one.values, ad_spend.TABLE, one.day_column, game_id, one.first, one.last)
            for one in ad_spend.questions(game_id, spends, by_campaign=True)
        ]
        try:
            lake = reader(QUERY_SECONDS)
            version = lake.version(ad_spend.TABLE)
            with ThreadPoolExecutor(len(queries)) as threads:
                results = list(threads.map(lambda query: lake.run(query, version), queries))
        except Exception:
            logger.exception("Gold cannot be read", game_id=game_id)
            return None
        return ad_spend.history([result.rows for result in results])
