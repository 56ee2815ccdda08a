"""The SQL of the job, with the settings filled in: texts, no Flink."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from realtime_analytics.settings import Settings

SQL = Path(__file__).with_name("sql")
# The service runs at most 256 tasks of an operator unless asked for more; each wants ticks.
TICKS_A_SECOND = 512
SOURCE = {
    # A shard's watermark follows each event, so what is late does not depend on how fast the job reads.
    "scan.watermark.emit.strategy": "on-event",
    # Kinesis allows five reads a second and shard to all readers together.
    "source.reader.empty-records-fetch-interval": "1 s",
    "source.shard.discovery.interval": "5 s",
    # A task reads its shards in turn. Small reads come back to each shard before it counts as idle.
    "source.shard.get-records.max-record-count": "1000",
}
SINK = {"sink.flush-buffer.timeout": "500"}
MINUTES = "SELECT * FROM minute_measures UNION ALL SELECT * FROM value_measures"
FIVE_MINUTES = "SELECT * FROM five_minute_measures"
WINDOWS = {
    "minute": ("1m", "TUMBLE", "INTERVAL '1' MINUTE", MINUTES),
    "five_minute": ("5m", "HOP", "INTERVAL '1' MINUTE, INTERVAL '5' MINUTE", FIVE_MINUTES),
}


def statements(settings: Settings) -> Iterator[str]:
    """Yield the statements of the job in order: source, sinks, views, and the inserts that run."""
    streams = settings.streams
    place = {"aws.region": streams.region}
    if streams.endpoint:
        # The emulator speaks HTTP 1.1.
        place |= {"aws.endpoint": streams.endpoint, "aws.http.protocol.version": "HTTP1_1"}
    json = {"format": "json", "json.timestamp-format.standard": "ISO-8601"}
    source = {"connector": "kinesis-by-shard", "stream.arn": streams.enriched_arn, **place, **json, **SOURCE}
    # A record that cannot be read is skipped: it must not stop the others.
    source |= {"json.ignore-parse-errors": "true", "source.init.position": streams.initial_position}
    lateness = settings.windows.allowed_lateness_seconds
    yield from _file("enriched", options=options(source), allowed_lateness_seconds=lateness)
    stream = {"connector": "kinesis", "stream.arn": streams.metrics_arn, **place, **json, **SINK}
    yield from _file("sinks", options=options(stream))
    yield from _file("events", allowed_lateness_seconds=lateness, ticks_a_second=TICKS_A_SECOND)
    yield from _file("measures")
    yield from _file("names", **asdict(settings.names))
    yield from _file("dimensions")
    for name, (label, window, size, measures) in WINDOWS.items():
        yield from _file("windows", name=name, label=label, window=window, size=size, measures=measures)
    yield from _file("dropped")
    yield from _file("alerts", **asdict(settings.alerts))
    yield from _file("outputs")


def options(values: Mapping[str, str]) -> str:
    """Return the options of a WITH clause, quoted."""
    return ",\n".join(f"  {_text(key)} = {_text(value)}" for key, value in values.items())


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _file(name: str, /, **values: object) -> Iterator[str]:
    """Yield the statements of a file."""
    text = (SQL / f"{name}.sql").read_text()
    for statement in (text.format(**values) if values else text).split(";\n"):
        if statement.strip():
            yield statement
