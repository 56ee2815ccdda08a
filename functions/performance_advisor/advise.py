"""From a week to advice: pure functions, one a kind of resource.

AWS Compute Optimizer advises on the memory of functions.
"""

import json
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from telemetry import shards

from performance_advisor import models

# US dollars, which scripts/cost reckons with too.
_listed = json.loads(Path(__file__).with_name("prices.json").read_text())["prices"]
# A batch run shall leave a quarter of the time until the next one, and take three hours at most.
RUN_SHARE, MAX_RUN_HOURS = 0.75, 4
HOURS, WEEKS, WEEK_SECONDS = 730, 730 / 168, 168 * 3600
SHARD_FULL = 0.8
# Below this no change is worth a deploy.
LEAST_SAVING = 5.0
# All consumers together leave three of the ten seconds in which events must show (docs/slo.md).
MAX_GATHERED_SECONDS = 7
MAX_WINDOW_SECONDS = 5
# A table's other mode is worth it from so much a month; what scales with the load keeps a reserve.
LEAST_TABLE_SAVING, FULL_TABLE = 50.0, 0.7
MAX_BATCH, FULL_BATCH, BEHIND_MS = 10_000, 0.9, 60_000


class Advice(BaseModel):
    """One change: the Terraform value as it is and as it should be, why, and what it saves a month.

    `saving_usd` is negative where the change costs, None where the gain is not money.
    """

    resource: str
    setting: str
    now: str
    then: str
    evidence: str
    saving_usd: float | None


def price(name: str) -> float:
    """Return what a unit costs, in the first tier."""
    usd = _listed[name]["usd"]
    return float(usd[0][1] if isinstance(usd, list) else usd)


def advise(week: models.Observations) -> list[Advice]:
    """Return what to change, what saves most first."""
    found = [
        *(advice for stream in week.streams for advice in _stream(stream)),
        *(advice for consumer in week.consumers for advice in _consumer(consumer, week.consumers)),
        *(advice for table in week.tables for advice in _table(table)),
        *(_flink(week.flink) if week.flink else ()),
        *(_spark(week.spark) if week.spark else ()),
    ]
    return sorted(found, key=lambda advice: -(advice.saving_usd or 0))


def _stream(stream: models.Stream) -> Iterator[Advice]:
    peak = shards.used(stream.peak_bytes_a_second, stream.peak_records_a_second)
    needed = max(ceil(round(peak / SHARD_FULL, 6)), 1)
    megabytes, records = stream.peak_bytes_a_second / 1e6, stream.peak_records_a_second
    evidence = (
        f"The busiest minute had {megabytes:.2f} MB and {records:,.0f} records a second: {needed} shards do."
    )
    provisioned = needed * HOURS * price("kinesis_shard")
    if stream.on_demand:
        gigabytes = stream.bytes_a_week * WEEKS / 1e9
        by_byte = price("kinesis_on_demand_in") + stream.consumers * price("kinesis_on_demand_out")
        saving = HOURS * price("kinesis_on_demand_stream") + gigabytes * by_byte - provisioned
        if saving >= LEAST_SAVING:
            yield _change(stream.name, stream.setting, "on demand", needed, evidence, saving)
    elif needed != stream.shards:
        saving = stream.shards * HOURS * price("kinesis_shard") - provisioned
        if needed > stream.shards or saving >= LEAST_SAVING:
            yield _change(stream.name, stream.setting, stream.shards, needed, evidence, saving)


def _consumer(consumer: models.Consumer, all_of_them: list[models.Consumer]) -> Iterator[Advice]:
    others = sum(other.window_seconds for other in all_of_them) - consumer.window_seconds
    longest = min(MAX_WINDOW_SECONDS, MAX_GATHERED_SECONDS - others)
    if not consumer.invocations_a_week:
        return
    records, size = consumer.records_a_week / consumer.invocations_a_week, consumer.batch_size
    if records >= FULL_BATCH * size and consumer.furthest_behind_ms > BEHIND_MS and size < MAX_BATCH:
        behind = consumer.furthest_behind_ms / 1000
        evidence = f"{records:.0f} records a batch of {size}, and up to {behind:.0f} s behind."
        then = min(2 * size, MAX_BATCH)
        yield _change(consumer.name, f"{consumer.setting}.batch_size", size, then, evidence, None)
    if consumer.window_seconds >= longest or records >= size / 5:
        return
    # At most so many times fewer invocations; what an invocation costs by itself is saved, not its records.
    fewer = max(consumer.window_seconds, 1) / longest
    by_call = price("lambda_request") + 0.002 * consumer.memory_mb / 1024 * price("lambda_compute")
    saving = consumer.invocations_a_week * WEEKS * (1 - fewer) * by_call
    if saving >= LEAST_SAVING:
        evidence = f"{records:.1f} records a batch of {size}; figures lag {longest} s then."
        setting, window = f"{consumer.setting}.batch_window_seconds", consumer.window_seconds
        yield _change(consumer.name, setting, window, longest, evidence, saving)


def _table(table: models.Table) -> Iterator[Advice]:
    if table.throttled_a_week and table.on_demand:
        evidence = (
            f"{table.throttled_a_week:,.0f} requests were throttled though it is on demand: a key is hot."
        )
        yield _change(
            table.name, "docs/runbooks/dynamodb-table.md", "as it is", "spread the hot key", evidence, None
        )
        return
    kinds = ("read", table.reads), ("write", table.writes)
    asked = sum(units.a_week * price(f"dynamodb_{kind}") for kind, units in kinds) * WEEKS
    kept = sum(_kept(units) * price(f"dynamodb_{kind}_hour") for kind, units in kinds) * WEEKS
    modes = {True: ("PAY_PER_REQUEST", asked), False: ("PROVISIONED", kept)}
    (now, costs), (then, would) = modes[table.on_demand], modes[not table.on_demand]
    if costs - would >= LEAST_TABLE_SAVING and would < 0.8 * costs:
        mean, most = table.writes.a_week / WEEK_SECONDS, max(table.writes.busiest, default=0)
        evidence = (
            f"{mean:,.1f} writes a second, {most:,.1f} in the busiest minute: ${costs:,.0f} a month as it is,"
            f" ${would:,.0f} otherwise; what is provisioned follows the load, but not within minutes."
        )
        yield _change(table.name, f"billing_mode of {table.name}", now, then, evidence, costs - would)


def _kept(units: models.Units) -> float:
    """Return a week's unit-hours with capacity for each hour's busiest minute; an idle hour keeps one."""
    idle = WEEK_SECONDS // 3600 - len(units.busiest)
    return sum(max(one / FULL_TABLE, 1) for one in units.busiest) + idle


def _flink(flink: models.Flink) -> Iterator[Advice]:
    setting, cpu = "realtime_analytics.application.parallelism", flink.busiest_cpu_percent
    unit = flink.units / flink.parallelism * HOURS * price("flink_unit")
    behind = flink.furthest_behind_ms / 1000
    evidence = f"A task's CPU was at {cpu:.0f} % at most, and the job {behind:.0f} s behind."
    if cpu > 80 or flink.furthest_behind_ms > 60_000:
        then = 2 * flink.parallelism
        yield _change("Flink", setting, flink.parallelism, then, evidence, -flink.parallelism * unit)
    elif cpu < 30 and flink.parallelism > 1:
        then = ceil(flink.parallelism * cpu / 60) or 1
        saving = (flink.parallelism - then) * unit
        if saving >= LEAST_SAVING:
            yield _change("Flink", setting, flink.parallelism, then, evidence, saving)


def _spark(spark: models.Spark) -> Iterator[Advice]:
    if spark.longest_minutes > RUN_SHARE * 60 * min(spark.every_hours, MAX_RUN_HOURS):
        often = "each hour" if spark.every_hours == 1 else f"every {spark.every_hours} hours"
        evidence = f"A run took {spark.longest_minutes:.0f} minutes, and one starts {often}."
        setting = "batch_analytics.job.maximum_executors"
        yield _change("Spark", setting, spark.maximum_executors, 2 * spark.maximum_executors, evidence, None)


def _change(resource: str, setting: str, now: Any, then: Any, evidence: str, saving: float | None) -> Advice:
    rounded = None if saving is None else round(saving, 2)
    return Advice(
        resource=resource,
        setting=setting,
        now=str(now),
        then=str(then),
        evidence=evidence,
        saving_usd=rounded,
    )


def text(advice: list[Advice], unreadable: list[str]) -> str:
    """Return the advice as a mail's text."""
    if advice:
        lines = [line for one in advice for line in _lines(one)]
    else:
        lines = ["Leave everything as it is: nothing was found that is worth a change.", ""]
    missing = [f"Could not be read, and not judged: {', '.join(unreadable)}."] if unreadable else []
    return "\n".join([*lines, *missing]).rstrip() + "\n"


def _lines(advice: Advice) -> Iterator[str]:
    saving, gain = advice.saving_usd, ""
    if saving is not None:
        gain = f", saves ${saving:,.2f} a month" if saving >= 0 else f", costs ${-saving:,.2f} a month"
    yield f"{advice.resource}: {advice.setting} from {advice.now} to {advice.then}{gain}"
    yield f"  {advice.evidence}"
    yield ""
