"""One batch of the raw stream through all its steps; what could not be written is handed back to Lambda."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telemetry.delivery import Entry, put_each, put_lines, put_records
from telemetry.games import GameRegistry
from telemetry.rejection import Reason, Rejection

from processor.arrival import Arrival, arrivals
from processor.dedupe import Claims
from processor.recent_events import RecentEvents
from processor.stats import IngestStats
from processor.triage import rejected_line, triage

if TYPE_CHECKING:
    from mypy_boto3_firehose.client import FirehoseClient
    from mypy_boto3_kinesis.client import KinesisClient


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Where the processor reads and writes; `kinesis` and `firehose` are low-level clients."""

    registry: GameRegistry
    claims: Claims
    stats: IngestStats
    recent: RecentEvents
    kinesis: "KinesisClient"
    firehose: "FirehoseClient"
    enriched_stream: str
    bronze_delivery_stream: str
    rejected_delivery_stream: str

    def process(self, records: Sequence[dict[str, Any]]) -> tuple[list[Arrival], str | None]:
        """Process a batch of one shard.

        Returns the arrivals that are done, and the first sequence number from which Lambda must
        hand the batch in again (None where all is written): later records count only then.
        """
        shard = records[0]["eventID"].partition(":")[0]
        batch = [arrival for record in records for arrival in arrivals(record)]
        triage(batch, self.registry)
        start = records[0]["kinesis"]["sequenceNumber"]
        for arrival in batch:
            if arrival.event:
                arrival.line = arrival.placed(start)
        repeated, unwritten = self.claims.duplicates([arrival for arrival in batch if arrival.event])
        for arrival in repeated:
            arrival.event = None
            arrival.rejection = Rejection(Reason.DUPLICATE, "an event with this event_id came before")
        unclaimed = {arrival.position for arrival in unwritten}
        ready = [a for a in batch if not (a.refused_again or (unclaimed and a.position in unclaimed))]
        unwritten += self._publish(ready, shard)
        retry_from = _first(unwritten)
        done = [a for a in batch if retry_from is None or int(a.sequence_number) < int(retry_from)]
        retry_from = _first(unwritten + self.stats.add(shard, done))
        self.recent.add(shard, done)
        published = [arrival for arrival in done if not arrival.refused_again]
        return published, retry_from

    def _publish(self, batch: Sequence[Arrival], shard: str) -> list[Arrival]:
        accepted = [arrival for arrival in batch if arrival.event]
        rejected = [arrival for arrival in batch if arrival.rejection]
        lines = [arrival.line for arrival in accepted]
        entries = [Entry(arrival.order_key, arrival.line) for arrival in accepted]
        quarantine = [rejected_line(arrival, shard) for arrival in rejected]
        lost = put_lines(self.firehose, self.bronze_delivery_stream, lines)
        lost |= put_records(self.kinesis, self.enriched_stream, entries)
        lost_rejects = put_each(self.firehose, self.rejected_delivery_stream, quarantine)
        return [accepted[i] for i in lost] + [rejected[i] for i in lost_rejects]


def _first(unwritten: Sequence[Arrival]) -> str | None:
    """Return the first record's number as Lambda wrote it: it knows no other."""
    return min((arrival.sequence_number for arrival in unwritten), key=int, default=None)
