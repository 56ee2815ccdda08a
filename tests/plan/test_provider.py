"""What the real provider does with prod's resources on a later change, which a mocked one does not tell."""

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from provider import WORDS, Provider

Resource = dict[str, Any]

MODULES = Path(__file__).resolve().parents[2] / "infrastructure" / "modules"
BLOCK = re.compile(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}$', re.MULTILINE | re.DOTALL)

# A saved query is no more than its text: a new one loses nothing.
HOLDS_NOTHING = {"aws_athena_named_query"}

# Optional numbers without a value or a default, and why the 0 that stands for them in the provider harms
# nothing. Read the provider's expand function before you add one: it must not send 0, or AWS must take 0 for
# "none".
NOT_SENT = "the provider does not send 0"
UNSET = {
    "aws_cloudformation_stack": {"timeout_in_minutes": NOT_SENT},
    "aws_cloudwatch_metric_alarm": {
        "datapoints_to_alarm": NOT_SENT,
        "metric_query.period": NOT_SENT,
        "period": NOT_SENT,
    },
    "aws_glue_catalog_table": {
        "retention": NOT_SENT,
        "storage_descriptor.number_of_buckets": "0 says that the table is not bucketed",
    },
    "aws_lambda_event_source_mapping": {"tumbling_window_in_seconds": NOT_SENT},
    "aws_lambda_function_event_invoke_config": {"maximum_event_age_in_seconds": NOT_SENT},
    "aws_redshiftserverless_namespace": {"admin_user_password_wo_version": "there is no password of ours"},
    "aws_scheduler_schedule": {"flexible_time_window.maximum_window_in_minutes": NOT_SENT},
    "aws_sesv2_configuration_set": {"delivery_options.max_delivery_seconds": NOT_SENT},
    "aws_sns_topic": {
        f"{protocol}_success_feedback_sample_rate": "a rate is sent when it changes only"
        for protocol in ("application", "firehose", "http", "lambda", "sqs")
    },
    "aws_subnet": {"enable_lni_at_device_index": "it is sent when it changes only"},
    "aws_vpc": {
        "ipv4_netmask_length": "it is for address pools only",
        "ipv6_netmask_length": "it is for address pools only",
    },
}


@pytest.fixture(scope="module")
def provider(infrastructure: Path, run: Callable[..., str]) -> Provider:
    return Provider(infrastructure, run)


@pytest.fixture(scope="module")
def prod(applied: Callable[[str], list[Resource]]) -> list[Resource]:
    return applied("prod")


def test_no_number_is_left_to_a_later_change(provider: Provider, prod: list[Resource]) -> None:
    """An argument that is left out is 0 to the provider, which sends it with the first change beside it."""
    assert _risks(provider, prod) == {}


def test_a_number_that_is_left_out_is_found(provider: Provider, prod: list[Resource]) -> None:
    retried = (
        it for it in prod if it["type"] == "aws_cloudwatch_event_target" and it["values"]["retry_policy"]
    )
    target = deepcopy(next(retried))
    target["values"]["retry_policy"][0]["maximum_retry_attempts"] = None
    assert _risks(provider, [target]) == {target["type"]: {"retry_policy.maximum_retry_attempts"}}


def test_a_default_is_no_risk(provider: Provider, prod: list[Resource]) -> None:
    queue = next(it for it in prod if it["type"] == "aws_sqs_queue")
    assert "visibility_timeout_seconds" in provider.unset_numbers(queue)
    assert _risks(provider, [queue]) == {}


def test_no_wording_replaces_what_holds_something(provider: Provider, prod: list[Resource]) -> None:
    replaced = _replaced_by_wording(provider, prod) - {(name, "description") for name in HOLDS_NOTHING}
    assert ("aws_kinesisanalyticsv2_application", "description") in replaced
    assert [
        it for it in _sources() for type_, word in replaced if it[0] == type_ and not _ignores(it, word)
    ] == []


def test_a_wording_that_replaces_is_found() -> None:
    application = ("aws_kinesisanalyticsv2_application", "this")
    assert not _ignores((*application, '  description = "Windows."\n'), "description")
    assert not _ignores((*application, "  lifecycle {\n    ignore_changes = [tags]\n  }\n"), "description")
    assert _ignores((*application, "  lifecycle {\n    ignore_changes = [description]\n  }\n"), "description")


def _risks(provider: Provider, resources: list[Resource]) -> dict[str, set[str]]:
    seen = {(it["type"], *sorted(names)): it for it in resources if (names := provider.unset_numbers(it))}
    risks: dict[str, set[str]] = {}
    for change in provider.plan(list(seen.values())):
        planned = {"type": change["type"], "values": change["change"]["after"]}
        names = provider.unset_numbers(planned) - set(UNSET.get(change["type"], {}))
        if names:
            risks.setdefault(change["type"], set()).update(names)
    return risks


def _replaced_by_wording(provider: Provider, resources: list[Resource]) -> set[tuple[str, str]]:
    worded = list({it["type"]: it for it in resources if provider.words(it)}.values())
    before = [it | {"values": it["values"] | dict.fromkeys(provider.words(it), "Others.")} for it in worded]
    return {
        (change["type"], path[0])
        for change in provider.plan(worded, before)
        for path in change["change"].get("replace_paths", [])
        if path[0] in WORDS
    }


def _sources() -> list[tuple[str, str, str]]:
    return [block for path in sorted(MODULES.glob("*/*.tf")) for block in BLOCK.findall(path.read_text())]


def _ignores(source: tuple[str, str, str], word: str) -> bool:
    found = re.search(r"ignore_changes\s*=\s*\[([^\]]*)\]", source[2])
    return found is not None and word in re.findall(r"\w+", found[1])
