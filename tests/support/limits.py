"""Limits that AWS documents and botocore's service models lack: character sets, lengths, and sums."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from plans import Json

DAY, WEEK = 86_400, 604_800

# What AWS takes in the key and in the value of a tag.
TAG = re.compile(r"[\w\s.:/=+\-@]*")


@dataclass(frozen=True)
class Limit:
    """What an argument must be, or the resource as a whole (no argument); `refused` breaks it."""

    kind: str
    argument: str
    holds: Callable[[Any], bool]
    says: str
    refused: Any

    def findings(self, kind: str, arguments: Json) -> Iterator[str]:
        """Yield what the limit refuses of a resource."""
        if self.kind not in (kind, "*"):
            return
        for value in _values(arguments, self.argument):
            if not self.holds(value):
                yield f"{kind}.{self.argument}: {str(value)[:200]!r} {self.says}"


def _values(arguments: Any, path: str) -> Iterator[Any]:
    if not path:
        yield arguments
        return
    name, _, rest = path.partition(".")
    for block in arguments if isinstance(arguments, list) else [arguments]:
        if isinstance(block, dict) and block.get(name) not in (None, ""):
            yield from _values(block[name], rest)


def _text(pattern: str) -> Callable[[Any], bool]:
    return lambda value: bool(re.fullmatch(pattern, value))


def _between(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: least <= float(value) <= most


def _bucket(name: str) -> bool:
    shape = re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name)
    return bool(shape) and ".." not in name and not name.startswith(("xn--", "sthree-", "amzn-s3-demo-"))


def _period(seconds: float) -> bool:
    return seconds in (10, 20, 30) or seconds % 60 == 0


def _window(alarm: Json) -> bool:
    queries = alarm.get("metric_query", [])
    metrics = [metric for query in queries for metric in query.get("metric", [])]
    periods = [one["period"] for one in (alarm, *queries, *metrics) if one.get("period")]
    window = alarm["evaluation_periods"] * max(periods)
    return bool(window <= (WEEK if min(periods) >= 3_600 else DAY))


def _variables(environment: list[Json]) -> bool:
    variables = environment[0].get("variables", {})
    return sum(len(f"{name}{value}".encode()) for name, value in variables.items()) <= 4_096


def _partitioned(destination: list[Json]) -> bool:
    partitioned = any(one["enabled"] for one in destination[0].get("dynamic_partitioning_configuration", []))
    return not partitioned or destination[0]["buffering_size"] >= 64


def _tags(tags: Json) -> bool:
    return len(tags) <= 50 and all(
        0 < len(key) <= 128
        and len(value) <= 256
        and not key.lower().startswith("aws:")
        and TAG.fullmatch(key)
        and TAG.fullmatch(value)
        for key, value in tags.items()
    )


_SECURITY_GROUP = r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}"
_SAYS_GROUP = "is not up to 255 letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"
_RETENTION = (
    *(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
_METRIC = "aws_cloudwatch_metric_alarm"
_RULES = ("aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule")

LIMITS = [
    Limit("*", "tags", _tags, "are not tags that AWS takes", {"aws:owner": "studio"}),
    Limit(
        "aws_api_gateway_resource",
        "path_part",
        _text(r"[a-zA-Z0-9._\-:]+|\{[a-zA-Z0-9._-]+\+?\}"),
        "is no part of a path",
        "events?",
    ),
    Limit("aws_apigatewayv2_api", "name", _text(r".{1,128}"), "has more than 128 characters", "n" * 129),
    Limit(
        "aws_cloudformation_stack",
        "name",
        _text(r"[a-zA-Z][-a-zA-Z0-9]{0,127}"),
        "is not up to 128 letters, digits and hyphens",
        "dash_board",
    ),
    Limit(
        "aws_cloudformation_stack",
        "template_body",
        lambda text: len(text.encode()) <= 51_200,
        "has more than 51,200 bytes: upload it",
        "x" * 51_201,
    ),
    Limit(
        "aws_cloudwatch_dashboard",
        "dashboard_name",
        _text(r"[A-Za-z0-9_-]{1,255}"),
        "is not up to 255 letters, digits, - and _",
        "traffic today",
    ),
    Limit(
        "aws_cloudwatch_log_group",
        "retention_in_days",
        lambda days: days in _RETENTION,
        "days are none of the retentions of CloudWatch Logs",
        31,
    ),
    Limit(_METRIC, "period", _period, "seconds are neither 10, 20, 30 nor whole minutes", 90),
    Limit(_METRIC, "metric_query.metric.period", _period, "seconds are no period", 90),
    Limit(
        _METRIC,
        "",
        _window,
        "looks back more than a day, or a week in periods of an hour",
        {
            "evaluation_periods": 25,
            "period": 3_540,
        },
    ),
    Limit(
        "aws_glue_catalog_database",
        "name",
        _text(r"[a-z0-9_]{1,255}"),
        "is no name that Athena reads",
        "Lake-1",
    ),
    Limit(
        "aws_glue_catalog_table", "name", _text(r"[a-z0-9_]{1,255}"), "is no name that Athena reads", "a-b"
    ),
    Limit(
        "aws_kinesis_firehose_delivery_stream",
        "extended_s3_configuration",
        _partitioned,
        "partitions into buffers of less than 64 MB",
        [{"buffering_size": 16, "dynamic_partitioning_configuration": [{"enabled": True}]}],
    ),
    Limit("aws_kinesis_stream", "retention_period", _between(24, 8_760), "hours are not 24 to 8760", 23),
    Limit(
        "aws_kms_alias", "name", _text(r"alias/(?!aws/)[a-zA-Z0-9/_-]{1,250}"), "is no alias", "alias/aws/x"
    ),
    Limit(
        "aws_lambda_function", "layers", lambda layers: len(layers) <= 5, "are more than 5 layers", ["x"] * 6
    ),
    Limit(
        "aws_lambda_function",
        "environment",
        _variables,
        "has more than 4 KB of variables",
        [{"variables": {"TABLE": "t" * 4_092}}],
    ),
    Limit(
        "aws_redshiftserverless_namespace",
        "admin_username",
        _text(r"[a-z][a-z0-9_]{0,127}"),
        "is no name of a user",
        "Admin-1",
    ),
    Limit(
        "aws_redshiftserverless_namespace",
        "db_name",
        _text(r"[a-z][a-z0-9_]{0,63}"),
        "is no name of a database",
        "player-analytics",
    ),
    Limit("aws_s3_bucket", "bucket", _bucket, "is no name of a bucket", "b" * 64),
    Limit("aws_secretsmanager_secret", "name", _text(r"[A-Za-z0-9/_+=.@-]{1,512}"), "is no name", "a b"),
    Limit(
        "aws_secretsmanager_secret",
        "name",
        _text(r".*(?<!-.{6})"),
        "ends as Secrets Manager's own",
        "key-abc123",
    ),
    Limit("aws_security_group", "description", _text(_SECURITY_GROUP), _SAYS_GROUP, "the owner's"),
    Limit("aws_security_group", "name", _text(rf"(?!sg-){_SECURITY_GROUP}"), _SAYS_GROUP, "sg-clients"),
    *(Limit(kind, "description", _text(_SECURITY_GROUP), _SAYS_GROUP, "the owner's") for kind in _RULES),
    Limit(
        "aws_sesv2_configuration_set",
        "configuration_set_name",
        _text(r"[A-Za-z0-9_-]{1,64}"),
        "is no configuration set",
        "n" * 65,
    ),
    Limit("aws_sns_topic", "name", _text(r"[A-Za-z0-9_-]{1,256}"), "is no name of a topic", "a.b"),
    Limit("aws_sqs_queue", "name", _text(r"[A-Za-z0-9_-]{1,80}"), "is no name of a queue", "n" * 81),
    Limit(
        "aws_sqs_queue",
        "message_retention_seconds",
        _between(60, 1_209_600),
        "are not 60 to 1209600",
        1_209_601,
    ),
    Limit("aws_sqs_queue", "kms_data_key_reuse_period_seconds", _between(60, DAY), "are not 60 to 86400", 59),
    Limit("aws_sqs_queue", "visibility_timeout_seconds", _between(0, 43_200), "are not 0 to 43200", 43_201),
]
