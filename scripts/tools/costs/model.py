"""The bill of a month: what a load makes an environment use, times the price of each thing used."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from processor.recent_events import KB_A_SECOND
from stream_scaling.rule import AIM
from telemetry import catalog, dimensions, normalisation

from tools import REPOSITORY
from tools.costs.settings import Consumer, Quota, Settings

# The advisor reckons with them too.
PRICES = REPOSITORY / "functions" / "performance_advisor" / "prices.json"
HOURS = 730
SECONDS = HOURS * 3600
GB, KB = 1e9, 1000
# Kinesis: a shard takes a MB and a thousand records a second, and an on-demand stream begins with four.
SHARD_BYTES, SHARD_RECORDS, ON_DEMAND_SHARDS = 1_000_000, 1000, 4
# What a shard is filled to by hand, so that a spike of a fifth still fits; the scaler fills it to AIM.
SHARD_FILL = 0.8
# Lambda takes 6 MB of records in base64.
BATCH_BYTES = 6_000_000 * 3 / 4
MB_A_VCPU = 1769
FIREHOSE_STEP = 5000
# Cognito bills people with a password after these; of an identity provider 50 are free.
FREE_PEOPLE = 10_000
TOGETHER = (1, 4, 12, 24, 48)
# Real-time windows are of one and of five minutes. Their longest measure is a currency of 64 characters with
# its amount.
PLATFORMS, FIVE = len(normalisation.PLATFORMS) + 1, 5
# Of a measure: of a design event, whose names are longest, of any other, and of revenue in a currency.
DESIGN_BYTES, MEASURE_BYTES, REVENUE_BYTES = 150, 95, 55

LAKE, HISTORY, REALTIME, PLAYERS = "lake", "history", "real time", "player state"
REST_API, SHARED = "REST API", "shared"

# The components, each with the resource types it prices.
PRICED = {
    "REST API": {
        "aws_api_gateway_rest_api",
        "aws_api_gateway_stage",
        "aws_wafv2_web_acl",
    },
    "Kinesis": {"aws_kinesis_stream"},
    "Lambda": {"aws_lambda_function"},
    "DynamoDB": {"aws_dynamodb_table"},
    "Firehose": {"aws_kinesis_firehose_delivery_stream"},
    "S3": {"aws_s3_bucket", "aws_s3_object"},
    "KMS": {"aws_kms_key"},
    "CloudWatch": {
        "aws_cloudwatch_composite_alarm",
        "aws_cloudwatch_dashboard",
        "aws_cloudwatch_log_group",
        "aws_cloudwatch_metric_alarm",
    },
    "Flink": {"aws_kinesisanalyticsv2_application"},
    "Spark": {"aws_emrserverless_application", "aws_sfn_state_machine", "aws_scheduler_schedule"},
    "Tables and queries": {"aws_glue_catalog_table_optimizer", "aws_athena_workgroup"},
    "Alerts": {"aws_sns_topic", "aws_cloudwatch_event_rule", "aws_sqs_queue"},
    "Metrics API": {"aws_apigatewayv2_api"},
}


# Those of `beside`: an environment may have them, and the bill does not hold them.
BESIDE = {
    "Network": {"aws_nat_gateway", "aws_vpc_endpoint"},
    "QuickSight": {"aws_quicksight_data_set"},
    "Redshift": {"aws_redshiftserverless_workgroup"},
    "Sign-in": {"aws_cognito_user_pool"},
    "Reports": {"aws_secretsmanager_secret", "aws_sesv2_configuration_set"},
}
# No price of their own: what they make happen is on another line, or they are free.
FREE = {
    "aws_api_gateway_account",
    "aws_api_gateway_authorizer",
    "aws_api_gateway_deployment",
    "aws_api_gateway_gateway_response",
    "aws_api_gateway_integration",
    "aws_api_gateway_integration_response",
    "aws_api_gateway_method",
    "aws_api_gateway_method_response",
    "aws_api_gateway_method_settings",
    "aws_api_gateway_resource",
    "aws_api_gateway_usage_plan",
    "aws_apigatewayv2_authorizer",
    "aws_apigatewayv2_integration",
    "aws_apigatewayv2_route",
    "aws_apigatewayv2_stage",
    "aws_athena_named_query",
    "aws_budgets_budget",
    "aws_cloudformation_stack",
    "aws_cloudwatch_event_target",
    "aws_cloudwatch_log_metric_filter",
    "aws_cloudwatch_log_stream",
    "aws_cognito_identity_provider",
    "aws_cognito_resource_server",
    "aws_cognito_user_group",
    "aws_cognito_user_pool_client",
    "aws_cognito_user_pool_domain",
    "aws_default_security_group",
    "aws_flow_log",
    "aws_glue_catalog_database",
    "aws_glue_catalog_table",
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_kms_alias",
    "aws_lambda_event_source_mapping",
    "aws_lambda_function_event_invoke_config",
    "aws_lambda_invocation",
    "aws_lambda_layer_version",
    "aws_lambda_permission",
    "aws_quicksight_data_source",
    "aws_quicksight_group",
    "aws_quicksight_refresh_schedule",
    "aws_quicksight_vpc_connection",
    "aws_redshiftserverless_namespace",
    "aws_redshiftserverless_usage_limit",
    "aws_route_table",
    "aws_route_table_association",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_security_group",
    "aws_sns_topic_policy",
    "aws_sqs_queue_policy",
    "aws_sns_topic_subscription",
    "aws_subnet",
    "aws_vpc",
    "aws_vpc_security_group_egress_rule",
    "aws_vpc_security_group_ingress_rule",
    "aws_wafv2_web_acl_association",
    "aws_wafv2_web_acl_logging_configuration",
    "aws_xray_sampling_rule",
}
# What the AWS guidance leaves out of its published costs: components, and items of others.
UNLISTED = ("CloudWatch", "KMS", "Alerts", "firewall", "answers to the internet")


@dataclass(frozen=True, slots=True)
class Load:
    """What comes in: events a second of so many bytes, of so many games.

    `together` events of a player come at once, one of TOGETHER; `rest_share` of them by REST, `a_request` in
    each. The lake holds so many `months` of them already.
    """

    events_per_second: float
    event_bytes: int = 1000
    games: int = 1
    together: int = 12
    rest_share: float = 0.5
    a_request: float = 12
    months: int = 0

    @property
    def events(self) -> float:
        """Events a month."""
        return self.events_per_second * SECONDS


@dataclass(frozen=True, slots=True)
class Line:
    """One thing on the bill, in dollars a month; `feature` is what would go without it."""

    component: str
    item: str
    feature: str
    quantity: float
    price: str
    dollars: float

    @property
    def listed(self) -> bool:
        """Whether the AWS guidance's published costs have it too."""
        return self.component not in UNLISTED and not self.item.startswith(UNLISTED)


@cache
def prices() -> dict[str, Any]:
    """Return the dated price table: date, region, basis, and prices with unit and source."""
    table: dict[str, Any] = json.loads(PRICES.read_text())
    return table


@cache
def _usage() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(Path(__file__).with_name("usage.json").read_text())
    return table


def usage(name: str, together: int | None = None) -> float:
    """Return a usage factor; those measured by events together need their number."""
    value = _usage()[name]["value"]
    return float(value if together is None else value[str(together)])


def cost(price: str, quantity: float) -> float:
    """Return the dollars of a quantity a month, by tiers where the price has them."""
    usd = prices()["prices"][price]["usd"]
    if not isinstance(usd, list):
        return float(usd) * quantity
    total, start = 0.0, 0.0
    for end, tier in usd:
        if quantity > start:
            total += (min(quantity, end or math.inf) - start) * tier
        start = end or math.inf
    return total


def bill(load: Load, given: Settings) -> list[Line]:
    """Return every line of the month's bill."""
    return [line for part in PARTS for line in part(load, given)]


def total(lines: list[Line], *features: str) -> float:
    """Return the dollars of the lines, of some features only where they are named."""
    return sum(line.dollars for line in lines if not features or line.feature in features)


def worst_key(given: Settings, quota: Quota) -> float:
    """Return the dollars a day that the dearest key can cost: one that sends all that its quota lets through.

    Every event is of another player, because nothing is then shared between events, and makes windows as
    large as it can.
    """
    requests, events = quota.requests_a_day, quota.events_a_day
    worst = Load(events / 86400, together=1, rest_share=1, a_request=events / requests)
    nothing = replace(worst, events_per_second=1e-9)
    rows, units = most_windows(given, events / 1440)
    windows = 1440 * (cost("dynamodb_write", units) + cost("kinesis_put", rows + units * 1024 / 25_600))
    return (total(bill(worst, given)) - total(bill(nothing, given))) * 24 / HOURS + windows


class Windows(NamedTuple):
    """Rows that the stream job publishes for a game in a minute, and the write units that they take."""

    rows: float
    units: float


def most_windows(given: Settings, events: float) -> Windows:
    """Return the most that so many events a minute of one game can make of its windows.

    No two events then share version, platform and name. A minute names only so many of them, and five
    minutes five times as many. Custom dimensions come on top.
    """
    rows, size = 0.0, 0.0
    for minutes in (1, FIVE):
        versions, items = minutes * given.named_versions + 1, minutes * given.named_items + 1
        for groups in (1, versions, PLATFORMS, PLATFORMS * versions):
            rows += min(minutes * events, groups)
            # An event adds to one measure of a grouping.
            longest = min(minutes * events, groups * items)
            size += longest * DESIGN_BYTES
            # A row has a source and a sink of each currency, and four endings of each mode.
            size += min(minutes * events - longest, groups * 6 * items) * MEASURE_BYTES
    values = most_values(events)
    return Windows(rows + values.rows, rows + size / 1024 + values.units)


def most_values(events: float) -> Windows:
    """Return the most that so many events a minute of one game can make of its custom dimensions.

    A minute has a row for each value, with its players, its crashes, and its revenue in two measures a
    currency. An event adds to at most three measures of each dimension: those of a purchase.
    """
    slots, currencies = len(dimensions.SLOTS), catalog.newest("common/currency", catalog.documents())["enum"]
    values = slots * (dimensions.MAX_VALUES + 2)
    rows = min(slots * events, values)
    measures = min(3 * slots * events, values * (2 + 2 * len(currencies)))
    return Windows(rows, rows + measures * REVENUE_BYTES / 1024)


def shards_needed(load: Load, stream: str, fill: float = SHARD_FILL) -> int:
    """Return the shards that hold a stream's records and bytes, four fifths full at most."""
    records, size = _records(load, stream)
    needed = max(records / SHARD_RECORDS, records * size / SHARD_BYTES) / fill
    return max(1, math.ceil(needed))


def fitted(load: Load, given: Settings) -> Settings:
    """Return the settings with as many shards and processing units as the load needs, set by hand."""
    shards: dict[str, int | None] = {name: shards_needed(load, name) for name in given.shards}
    units = max(1, math.ceil(load.events_per_second / usage("flink_events_per_unit")))
    return replace(given, shards=shards, scaled=False, flink_units=units)


def _line(component: str, item: str, feature: str, price: str, quantity: float) -> Line:
    return Line(component, item, feature, quantity, price, cost(price, quantity))


def _records(load: Load, stream: str) -> tuple[float, float]:
    """Return a stream's records a second and their bytes; raw ones hold a player's events of one sending."""
    match stream:
        case "raw":
            size = load.together * load.event_bytes * (1 + usage("packed_overhead"))
            return load.events_per_second / load.together, size
        case "enriched":
            return load.events_per_second, load.event_bytes + usage("enriched_extra_bytes")
        case _:
            return load.games * usage("windows_a_minute_and_game") / 60, KB


def _shards(load: Load, given: Settings, stream: str) -> int:
    provisioned = given.shards[stream]
    if provisioned is None:
        return max(ON_DEMAND_SHARDS, shards_needed(load, stream))
    return max(provisioned, shards_needed(load, stream, AIM)) if given.scaled else provisioned


def _kinesis(load: Load, given: Settings) -> Iterator[Line]:
    for stream, feature, readers in (("raw", LAKE, 1), ("enriched", REALTIME, 3), ("metrics", REALTIME, 2)):
        records, size = _records(load, stream)
        billed = records * math.ceil(size / 1024) * 1024 * SECONDS / GB
        kept_days = (given.metrics_retention_hours if stream == "metrics" else given.retention_hours) / 24
        count = _shards(load, given, stream)
        if given.shards[stream] is None:
            extra = records * size * 86400 * (kept_days - 1) / GB
            yield _line("Kinesis", f"{stream}: stream", feature, "kinesis_on_demand_stream", HOURS)
            yield _line("Kinesis", f"{stream}: in", feature, "kinesis_on_demand_in", billed)
            out = records * size * SECONDS / GB * readers
            yield _line("Kinesis", f"{stream}: out", feature, "kinesis_on_demand_out", out)
            yield _line("Kinesis", f"{stream}: kept", feature, "kinesis_on_demand_retention", extra)
            continue
        units = records * math.ceil(size / 25_600) * SECONDS
        yield _line("Kinesis", f"{stream}: shards", feature, "kinesis_shard", count * HOURS)
        yield _line("Kinesis", f"{stream}: puts", feature, "kinesis_put", units)
        kept = count * HOURS if kept_days > 1 else 0
        yield _line("Kinesis", f"{stream}: kept", feature, "kinesis_shard_retention", kept)


def invocations(load: Load, given: Settings, stream: str, consumer: Consumer, share: float = 1.0) -> float:
    """Return how often a month a stream's function runs: when its window ends or its batch is full.

    `share` of the records are handed to it.
    """
    records, size = _records(load, stream)
    readers = _shards(load, given, stream) * consumer.at_once
    full = min(consumer.batch_size, BATCH_BYTES / size)
    taken = records * share
    a_second = min(taken, max(readers / max(consumer.window_seconds, 1), taken / full))
    return a_second * SECONDS


class Function(NamedTuple):
    """A function's month: invocations, milliseconds in all, and MB."""

    name: str
    feature: str
    runs: float
    milliseconds: float
    megabytes: int


def _functions(load: Load, given: Settings) -> Iterator[Function]:
    processor = invocations(load, given, "raw", given.processor)
    state = invocations(load, given, "enriched", given.player_state)
    windows = min(_records(load, "metrics")[0], 1 / usage("windows_batch_seconds")) * SECONDS
    requests, asked = _requests(load), usage("api_requests_month")
    looks = HOURS * 60 if given.scaled else 0
    wait = usage("invocation_ms")
    claims = usage("claims_ms", load.together) if given.dedupe_hours else 0
    cpu = load.events * (usage("processor_ms") + claims)
    took = processor * wait + _cpu(cpu, given.processor)
    yield Function("processor", LAKE, processor, took, given.processor.memory_mb)
    took = state * wait + _cpu(load.events * usage("player_state_ms", load.together), given.player_state)
    yield Function("player_state", PLAYERS, state, took, given.player_state.memory_mb)
    scored = invocations(load, given, "enriched", given.leaderboards, usage("scores_share"))
    took = scored * usage("scores_invocation_ms")
    yield Function("leaderboards", PLAYERS, scored, took, given.leaderboards.memory_mb)
    yield Function("realtime_windows", REALTIME, windows, windows * wait, 512)
    took = requests * (usage("ingest_ms") + usage("ingest_request_ms"))
    took += load.events * load.rest_share * usage("ingest_event_ms")
    yield Function("ingest", REST_API, requests, took, given.ingest_memory_mb)
    yield Function("metrics_api", SHARED, asked, asked * wait, given.api_memory_mb)
    # Each night it reads what came since the last.
    yield Function("privacy", LAKE, HOURS / 24, load.events * usage("search_ms"), 1769)
    yield Function("stream_scaling", SHARED, looks, looks * usage("scaling_ms"), 256)


def _cpu(milliseconds: float, consumer: Consumer) -> float:
    """Return how long work of one core takes with a function's share of one."""
    return milliseconds * max(1.0, MB_A_VCPU / consumer.memory_mb)


def _lambda(load: Load, given: Settings) -> Iterator[Line]:
    for it in _functions(load, given):
        yield _line("Lambda", f"{it.name}: requests", it.feature, "lambda_request", it.runs)
        gb_seconds = it.milliseconds / 1000 * it.megabytes / 1024
        yield _line("Lambda", f"{it.name}: time", it.feature, "lambda_compute", gb_seconds)


def _dynamodb(load: Load, given: Settings) -> Iterator[Line]:
    claims = load.events * usage("dedupe_writes", load.together) if given.dedupe_hours else 0
    writes = load.events * usage("player_writes", load.together)
    reads = load.events * usage("player_reads", load.together)
    counts = invocations(load, given, "raw", given.processor) * load.games
    windows = _records(load, "metrics")[0] * SECONDS
    yield _line("DynamoDB", "dedupe: writes", LAKE, "dynamodb_write", claims)
    yield _line("DynamoDB", "ingest_stats: writes", LAKE, "dynamodb_write", min(counts, load.events))
    # The processor writes an item for each batch, until the bound of a shard is reached.
    runs = invocations(load, given, "raw", given.processor)
    recent = min(runs * usage("recent_item_kb"), _shards(load, given, "raw") * SECONDS * KB_A_SECOND)
    yield _line("DynamoDB", "recent_events: writes", LAKE, "dynamodb_write", recent)
    quotas = _requests(load) * usage("quota_writes")
    yield _line("DynamoDB", "quotas: writes", REST_API, "dynamodb_write", quotas)
    yield _line("DynamoDB", "player state: writes", PLAYERS, "dynamodb_write", writes)
    yield _line("DynamoDB", "player state: reads", PLAYERS, "dynamodb_read", reads)
    yield _line("DynamoDB", "real-time windows: writes", REALTIME, "dynamodb_write", windows)
    stored = {
        LAKE: load.events_per_second * given.dedupe_hours * 3600 * usage("claim_bytes") / GB,
        PLAYERS: load.events / usage("events_a_player_month") * usage("player_item_kb") * KB / GB,
    }
    for feature, size in stored.items():
        yield _line("DynamoDB", f"{feature}: storage", feature, "dynamodb_storage", size)
        recovery = size if given.recovery else 0
        yield _line("DynamoDB", f"{feature}: recovery", feature, "dynamodb_recovery", recovery)


def _bronze_bytes(load: Load) -> float:
    return load.events * (load.event_bytes + usage("enriched_extra_bytes")) * usage("gzip_ratio")


def _firehose(load: Load, given: Settings) -> Iterator[Line]:
    runs = invocations(load, given, "raw", given.processor)
    bronze = max(_bronze_bytes(load), runs * FIREHOSE_STEP) / GB
    rejected = load.events * usage("rejected_share") * max(FIREHOSE_STEP, load.event_bytes) / GB
    yield _line("Firehose", "bronze", LAKE, "firehose_in", bronze)
    yield _line("Firehose", "rejected", LAKE, "firehose_in", rejected)
    yield _line("Firehose", "rejected: by day and reason", LAKE, "firehose_partitioned", rejected)


def _s3(load: Load, given: Settings) -> Iterator[Line]:
    bronze = _bronze_bytes(load) / GB
    objects = max(SECONDS / 300, bronze * GB / 128e6)
    held = bronze * (1 + load.months)
    yield _line("S3", "bronze", LAKE, "s3_storage", held)
    yield _line("S3", "silver and gold", HISTORY, "s3_storage", held * usage("silver_and_gold_share"))
    yield _line("S3", "objects written", LAKE, "s3_put", objects * 4)
    yield _line("S3", "objects read", LAKE, "s3_get", objects * 20)
    yield _line("S3", "objects moved to Standard-IA", LAKE, "s3_transition", objects)


def _cloudwatch(load: Load, given: Settings) -> Iterator[Line]:
    for it in _functions(load, given):
        size = it.runs * usage("log_line_bytes") / GB
        yield _line("CloudWatch", f"{it.name}: logs", it.feature, "logs_in", size)
        # CloudWatch keeps logs compressed, to about a seventh.
        kept = size * 0.15 * given.log_retention_days / (HOURS / 24)
        yield _line("CloudWatch", f"{it.name}: logs kept", it.feature, "logs_storage", kept)
    traced = _requests(load) * usage("rest_trace_share") if given.tracing else 0
    yield _line("CloudWatch", "traces", REST_API, "trace", traced)
    metrics = usage("custom_metrics") + load.games * usage("custom_metrics_a_game")
    # Two metrics of each of two streams.
    reads = 4 * HOURS * 60 if given.scaled else 0
    yield _line("CloudWatch", "metrics", SHARED, "metric", metrics)
    yield _line("CloudWatch", "metrics read to scale", SHARED, "metric_read", reads)
    yield _line("CloudWatch", "composite alarms", SHARED, "composite_alarm", usage("composite_alarms"))
    yield _line("CloudWatch", "dashboards", SHARED, "dashboard", usage("dashboards"))
    yield _line("CloudWatch", "alarms", SHARED, "alarm", usage("alarm_metrics") + load.games)


def _flink(load: Load, given: Settings) -> Iterator[Line]:
    units = max(given.flink_units, math.ceil(load.events_per_second / usage("flink_events_per_unit")))
    yield _line("Flink", "processing units", REALTIME, "flink_unit", (units + 1) * HOURS)
    yield _line("Flink", "running storage", REALTIME, "flink_storage", units * 50)


def _spark(load: Load, given: Settings) -> Iterator[Line]:
    if not given.batch:
        return
    runs = HOURS / given.batch_every_hours
    starting = runs * usage("spark_start_minutes") / 60 * 4 * given.worker_vcpus
    taking = load.events / 1e6 * usage("silver_core_seconds_per_million") / 3600
    # Each run reads what is kept of the last days: in a month's middle the lake holds half of its events.
    months = min(load.months + 0.5, usage("gold_window_days") * 24 / HOURS)
    computing = runs * load.events * months / 1e6 * usage("gold_core_seconds_per_million") / 3600
    cores = starting + taking + computing
    memory = cores * given.worker_memory_gb / given.worker_vcpus
    yield _line("Spark", "vCPU", HISTORY, "emr_vcpu", cores)
    yield _line("Spark", "memory", HISTORY, "emr_memory", memory)
    yield _line("Spark", "state machine", HISTORY, "states_transition", runs * 30)
    yield _line("Spark", "schedule", HISTORY, "scheduler", runs)


def _requests(load: Load) -> float:
    return load.events * load.rest_share / load.a_request


def _rest(load: Load, given: Settings) -> Iterator[Line]:
    requests = _requests(load)
    yield _line("REST API", "requests", REST_API, "rest_request", requests)
    yield _line("REST API", "firewall: requests", REST_API, "waf_request", requests)
    yield _line("REST API", "firewall: ACL", REST_API, "waf_acl", 1)
    yield _line("REST API", "firewall: rules", REST_API, "waf_rule", 4)
    yield _line("REST API", "answers to the internet", REST_API, "transfer_out", requests * 600 / GB)


def _shared(load: Load, given: Settings) -> Iterator[Line]:
    requests = usage("api_requests_month")
    yield _line("Metrics API", "requests", SHARED, "http_request", requests)
    yield _line("Metrics API", "answers to the internet", SHARED, "transfer_out", requests * 5 * KB / GB)
    yield _line("KMS", "keys", SHARED, "kms_key", usage("keys"))
    yield _line("KMS", "requests", SHARED, "kms_request", usage("kms_requests_an_hour") * HOURS)
    yield _line("Tables and queries", "optimizers", HISTORY, "glue_optimizer", usage("optimizer_hours"))
    yield _line("Tables and queries", "scans", LAKE, "athena_scan", usage("athena_tb"))
    yield _line("Alerts", "bus", SHARED, "bus", usage("alerts_month"))
    yield _line("Alerts", "topic", SHARED, "sns", usage("alerts_month"))
    yield _line("Alerts", "queues", SHARED, "sqs", usage("queues") * HOURS)


PARTS: tuple[Callable[[Load, Settings], Iterator[Line]], ...] = (
    _rest, _kinesis, _lambda, _dynamodb, _firehose, _s3, _cloudwatch, _flink, _spark, _shared
)  # fmt: skip


def beside(load: Load) -> list[Line]:
    """Return what the bill does not hold: services an environment may have beside it, and their price."""
    gb = load.events * load.event_bytes / GB
    people = max(0, usage("people") - FREE_PEOPLE)
    return [
        _line(
            "Redshift", "8 RPU", "warehouse", "redshift_unit", 8 * usage("warehouse_hours_a_day") * HOURS / 24
        ),
        _line("QuickSight", "authors", "dashboards", "quicksight_author", usage("authors")),
        _line("QuickSight", "readers", "dashboards", "quicksight_reader", usage("readers")),
        _line("Reports", "1,000 mails", "mails", "mail", 1000),
        _line("Reports", "secret of the webhooks", "secret", "secret", 1),
        _line("Sign-in", "people after the free ones", "people", "cognito_person", people),
        _line("Sign-in", "firewall: ACL", "people", "waf_acl", 1),
        _line("Sign-in", "firewall: rules", "people", "waf_rule", 3),
        _line("Network", "NAT gateways in two zones", "vpc", "nat_hour", 2 * HOURS),
        _line("Network", "NAT: bytes", "vpc", "nat_data", gb),
        _line("Network", "four interface endpoints in two zones", "vpc", "endpoint_hour", 8 * HOURS),
        _line("Network", "endpoints: bytes", "vpc", "endpoint_data", gb),
    ]
