"""A plan after the apply is clean, but for what the emulator does not report (docs/limits.md)."""

import json
from typing import Any

import boto3
import pytest
from tools.tables import KEYS

pytestmark = pytest.mark.integration

# What the emulator keeps, and does not tell when asked. Of an authorizer of tokens it tells more than AWS.
UNREPORTED = {
    "aws_apigatewayv2_authorizer": {"authorizer_payload_format_version"},
    "aws_kinesis_firehose_delivery_stream": {"custom_time_zone", "file_extension"},
    "aws_lambda_event_source_mapping": {"metrics_config"},
}
# Of alarms it tells little but name and threshold.
ALARMS = {"aws_cloudwatch_composite_alarm", "aws_cloudwatch_metric_alarm"}


def test_a_second_plan_changes_only_what_the_emulator_does_not_report(applied: Any) -> None:
    applied.terraform("plan", "-input=false", "-lock=false", "-out=again")
    plan = json.loads(applied.terraform("show", "-json", "again"))
    found: dict[str, set[str]] = {}
    for resource in plan["resource_changes"]:
        change = resource["change"]
        if change["actions"] not in (["no-op"], ["read"]) and resource["type"] not in ALARMS:
            changed = differences(change["before"], change["after"])
            found.setdefault(resource["type"], set()).update(changed)
    assert found == UNREPORTED
    outputs = plan.get("output_changes", {})
    assert not {name for name, output in outputs.items() if output["actions"] != ["no-op"]}


def test_tables_that_micro_makes_have_the_keys_of_the_applied_ones(applied: Any) -> None:
    client, tables = boto3.client("dynamodb"), applied.platform.outputs["tables"]
    described = {name: client.describe_table(TableName=tables[name])["Table"] for name in KEYS}
    found = {name: tuple(key["AttributeName"] for key in one["KeySchema"]) for name, one in described.items()}
    assert found == KEYS
    assert KEYS.keys() == tables.keys()
    indexes = {
        name: one["GlobalSecondaryIndexes"]
        for name, one in described.items()
        if "GlobalSecondaryIndexes" in one
    }
    assert {name: [one["IndexName"] for one in found] for name, found in indexes.items()} == {
        "leaderboards": ["by_rank"]
    }


def differences(before: Any, after: Any, name: str = "") -> list[str]:
    """Return the names of the attributes that differ, of the innermost."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [d for key in before | after for d in differences(before.get(key), after.get(key), key)]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [d for one, other in zip(before, after, strict=True) for d in differences(one, other, name)]
    return [name] if before != after else []
