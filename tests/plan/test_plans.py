"""The judged plans are complete: every part is on in one, off in another, and every value is known."""

from dataclasses import replace

import pytest
from plans import Resource

Plans = dict[str, list[Resource]]

# Each optional part, and a resource that only this part makes.
OPTIONAL_PARTS = {
    "batch runs": "aws_sfn_state_machine",
    "budget": "aws_budgets_budget",
    "quicksight": "aws_quicksight_data_set",
    "sign-in": "aws_cognito_user_pool",
    "log of blocked requests": "aws_wafv2_web_acl_logging_configuration",
    "network": "aws_vpc",
    "optimizers of tables": "aws_glue_catalog_table_optimizer",
    "subscriptions of alerts": "aws_sns_topic_subscription",
    "tracing": "aws_xray_sampling_rule",
    "warehouse": "aws_redshiftserverless_workgroup",
}


@pytest.mark.parametrize("kind", OPTIONAL_PARTS.values(), ids=OPTIONAL_PARTS)
def test_each_optional_part_is_on_and_off(plans: Plans, kind: str) -> None:
    assert kind in _types(plans["modules/platform/everything"])
    assert kind not in _types(plans["modules/platform/nothing_optional"])


def test_every_type_of_every_plan_is_in_the_plan_with_everything(plans: Plans) -> None:
    everything = _types(plans["modules/platform/everything"])
    for name, resources in plans.items():
        if not name.startswith("bootstrap/"):
            assert _types(resources) <= everything, name


def test_functions_and_flink_are_signed_and_in_a_network_where_asked_for(plans: Plans) -> None:
    resources = plans["modules/platform/everything"]
    assert all(r.values["code_signing_config_arn"] for r in resources if r.type == "aws_lambda_function")
    (flink,) = [r for r in resources if r.type == "aws_kinesisanalyticsv2_application"]
    (configuration,) = flink.values["application_configuration"]
    assert configuration["vpc_configuration"]


def test_every_value_that_the_configuration_sets_is_known(planned_resources: list[Resource]) -> None:
    """An unknown value is not judged: infrastructure/testing must name the type that it comes from."""
    assert len(planned_resources) > 1000
    missing = {(r.plan, r.address): r.missing() for r in planned_resources if r.missing()}
    assert not missing


def test_an_unknown_value_is_noticed(planned_resources: list[Resource]) -> None:
    queue = next(r for r in planned_resources if r.type == "aws_sqs_queue")
    assert replace(queue, unknown={"name": True}).missing() == ["name"]


def test_what_is_computed_is_no_argument(planned_resources: list[Resource]) -> None:
    queue = next(r for r in planned_resources if r.type == "aws_sqs_queue")
    assert {"name", "kms_master_key_id"} <= set(queue.arguments)
    assert not {"arn", "id", "url"} & set(queue.arguments)


def _types(resources: list[Resource]) -> set[str]:
    return {resource.type for resource in resources}
