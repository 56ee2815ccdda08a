"""From a week to advice: pure functions, one a kind of resource."""

from collections.abc import Iterator
from math import ceil
from typing import Any

from pydantic import BaseModel
from telemetry import shards

from performance_advisor import models

# US dollars; scripts/tools/costs/prices.json says since when and from where, and a test keeps both the same.
PRICES = {
    "kinesis_on_demand_stream": 0.04,
    "kinesis_on_demand_in": 0.08,
    "kinesis_on_demand_out": 0.04,
    "kinesis_shard": 0.015,
    "flink_unit": 0.11,
    "lambda_compute": 0.0000133334,
    "lambda_request": 0.0000002,
    "s3_put": 0.000005,
    "logs_storage": 0.03,
    "dynamodb_read": 0.000000125,
    "dynamodb_write": 0.000000625,
    "dynamodb_read_hour": 0.00013,
    "dynamodb_write_hour": 0.00065,
}
# A batch run shall leave a quarter of the time until the next one, and take three hours at most.
RUN_SHARE, MAX_RUN_HOURS = 0.75, 4
HOURS, WEEKS, WEEK_SECONDS = 730, 730 / 168, 168 * 3600
SHARD_FULL = 0.8
# Below this no change is worth a deploy.
LEAST_SAVING = 5.0
# All consumers together leave three of the ten seconds in which events must show (docs/slo.md).
MAX_GATHERED_SECONDS = 7
MAX_WINDOW_SECONDS, MAX_BUFFER_SECONDS, MAX_TIMEOUT_SECONDS = 5, 900, 900
SMALL_OBJECT = 16e6
MANY_QUEUED = 100
# A table's other mode is worth it from so much a month; what scales with the load keeps a reserve.
LEAST_TABLE_SAVING, FULL_TABLE = 50.0, 0.7
# Memory that is nearly all used, hardly used, and the steps Lambda's memory is advised in.
FULL_MEMORY, IDLE_MEMORY, MEMORY_STEP, MAX_MEMORY = 0.9, 0.25, 128, 10240
MAX_BATCH, FULL_BATCH, BEHIND_MS = 10_000, 0.9, 60_000
MANY_FILES = 10


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


def advise(week: models.Observations) -> list[Advice]:
    """Return what to change, what saves most first."""
    found = [
        *(advice for stream in week.streams for advice in _stream(stream)),
        *(advice for function in week.functions for advice in _function(function)),
        *(advice for consumer in week.consumers for advice in _consumer(consumer, week.consumers)),
        *(advice for table in week.tables for advice in _table(table)),
        *(advice for delivery in week.deliveries for advice in _delivery(delivery)),
        *(advice for files in week.files for advice in _files(files)),
        *(advice for group in week.log_groups for advice in _log_group(group)),
        *(_flink(week.flink) if week.flink else ()),
        *(_spark(week.spark) if week.spark else ()),
        *(_warehouse(week.warehouse) if week.warehouse else ()),
    ]
    return sorted(found, key=lambda advice: -(advice.saving_usd or 0))


def _stream(stream: models.Stream) -> Iterator[Advice]:
    peak = shards.used(stream.peak_bytes_a_second, stream.peak_records_a_second)
    needed = max(ceil(round(peak / SHARD_FULL, 6)), 1)
    megabytes, records = stream.peak_bytes_a_second / 1e6, stream.peak_records_a_second
    evidence = (
        f"The busiest minute had {megabytes:.2f} MB and {records:,.0f} records a second: {needed} shards do."
    )
    provisioned = needed * HOURS * PRICES["kinesis_shard"]
    if stream.on_demand:
        gigabytes = stream.bytes_a_week * WEEKS / 1e9
        by_byte = PRICES["kinesis_on_demand_in"] + stream.consumers * PRICES["kinesis_on_demand_out"]
        saving = HOURS * PRICES["kinesis_on_demand_stream"] + gigabytes * by_byte - provisioned
        if saving >= LEAST_SAVING:
            yield _change(stream.name, stream.setting, "on demand", needed, evidence, saving)
    elif needed != stream.shards:
        saving = stream.shards * HOURS * PRICES["kinesis_shard"] - provisioned
        if needed > stream.shards or saving >= LEAST_SAVING:
            yield _change(stream.name, stream.setting, stream.shards, needed, evidence, saving)


def _function(function: models.Function) -> Iterator[Advice]:
    if (
        function.longest_ms > 800 * function.timeout_seconds
        and function.timeout_seconds < MAX_TIMEOUT_SECONDS
    ):
        then = min(2 * function.timeout_seconds, MAX_TIMEOUT_SECONDS)
        evidence = f"It took up to {function.longest_ms / 1000:.1f} of {function.timeout_seconds} seconds."
        setting = f"{function.setting}.timeout_seconds"
        yield _change(function.name, setting, function.timeout_seconds, then, evidence, None)
    setting, memory, used = f"{function.setting}.memory_mb", function.memory_mb, function.used_mb or 0
    if used > FULL_MEMORY * memory:
        then = min(MEMORY_STEP * ceil(1.5 * used / MEMORY_STEP), MAX_MEMORY)
        evidence = f"An invocation took {used:.0f} of {memory} MB: beyond, it dies."
        yield _change(function.name, setting, memory, then, evidence, None)
        return
    curve = function.curve | {memory: function.mean_ms}
    curve = {one: taken for one, taken in curve.items() if used <= FULL_MEMORY * one}
    price = PRICES["lambda_compute"] * function.invocations_a_week * WEEKS
    cost = {one: one / 1024 * taken / 1000 * price for one, taken in curve.items()}
    best = min(cost, key=lambda one: (cost[one], one))
    saving = cost[memory] - cost[best]
    if saving >= LEAST_SAVING:
        evidence = f"{function.mean_ms:.0f} ms at {memory} MB, {curve[best]:.0f} ms at {best} MB."
        yield _change(function.name, setting, memory, best, evidence, saving)
    elif function.used_mb and used < IDLE_MEMORY * memory and min(curve) == memory:
        half = MEMORY_STEP * ceil(memory / 2 / MEMORY_STEP)
        if cost[memory] / 2 >= LEAST_SAVING:
            most = f"would save ${cost[memory] / 2:,.2f} a month if it takes no longer"
            evidence = f"At most {used:.0f} of {memory} MB were used: {most}; a week at {half} MB tells."
            yield _change(function.name, setting, memory, half, evidence, None)


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
    by_call = PRICES["lambda_request"] + 0.002 * consumer.memory_mb / 1024 * PRICES["lambda_compute"]
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
        yield _change(table.name, "docs/runbooks/tables.md", "as it is", "spread the hot key", evidence, None)
        return
    kinds = ("read", table.reads), ("write", table.writes)
    asked = sum(units.a_week * PRICES[f"dynamodb_{kind}"] for kind, units in kinds) * WEEKS
    kept = sum(_kept(units) * PRICES[f"dynamodb_{kind}_hour"] for kind, units in kinds) * WEEKS
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


def _delivery(delivery: models.Delivery) -> Iterator[Advice]:
    if not delivery.objects_a_week or delivery.seconds >= MAX_BUFFER_SECONDS:
        return
    size = delivery.bytes_a_week / delivery.objects_a_week
    if size < SMALL_OBJECT:
        fewer = 1 - delivery.seconds / MAX_BUFFER_SECONDS
        saving = delivery.objects_a_week * WEEKS * fewer * PRICES["s3_put"]
        evidence = (
            f"{delivery.objects_a_week:,.0f} objects of {size / 1e6:.1f} MB: few large ones are read faster."
        )
        yield _change(delivery.name, delivery.setting, delivery.seconds, MAX_BUFFER_SECONDS, evidence, saving)


def _files(files: models.Files) -> Iterator[Advice]:
    if files.files and files.files > MANY_FILES * files.folders and files.bytes / files.files < SMALL_OBJECT:
        size, each = files.bytes / files.files / 1e6, files.files / files.folders
        evidence = (
            f"{files.files:,} files of {size:.1f} MB, {each:.0f} a folder: few large ones are read faster."
        )
        then = "see why Glue's compaction does not keep up" if files.optimized else "true"
        yield _change(files.name, files.setting, str(files.optimized).lower(), then, evidence, None)


def _log_group(group: models.LogGroup) -> Iterator[Advice]:
    if group.retention_days is None:
        evidence = f"{group.stored_bytes / 1e9:.1f} GB are kept for ever."
        saving = group.stored_bytes / 1e9 * PRICES["logs_storage"]
        yield _change(group.name, "logging.retention_days", "for ever", 30, evidence, saving)


def _flink(flink: models.Flink) -> Iterator[Advice]:
    setting, cpu = "realtime_analytics.application.parallelism", flink.busiest_cpu_percent
    unit = flink.units / flink.parallelism * HOURS * PRICES["flink_unit"]
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
        setting = "lake.batch.job.maximum_executors"
        yield _change("Spark", setting, spark.maximum_executors, 2 * spark.maximum_executors, evidence, None)


def _warehouse(warehouse: models.Warehouse) -> Iterator[Advice]:
    limit = warehouse.limit_rpu_hours_a_day
    if limit and warehouse.rpu_hours_a_day > 0.9 * limit:
        evidence = f"{warehouse.rpu_hours_a_day:.0f} of {limit:.0f} RPU-hours a day: beyond, no query runs."
        setting = "lake.warehouse.usage_limit.rpu_hours_a_day"
        yield _change("Redshift", setting, int(limit), ceil(1.5 * limit), evidence, None)
    if warehouse.queries_queued_a_day > MANY_QUEUED:
        evidence = f"{warehouse.queries_queued_a_day:.0f} queries a day waited for capacity."
        setting = "lake.warehouse.capacity.base_rpu"
        yield _change("Redshift", setting, warehouse.base_rpu, 2 * warehouse.base_rpu, evidence, None)


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
