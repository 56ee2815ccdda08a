"""What must hold for every resource of an environment, whichever module it is in."""

import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import openapi_contract
import pytest
from fake_aws import encode, records
from metrics_api import callers, live_page
from ministack.services import lambda_svc
from realtime_analytics import settings
from telemetry import catalog
from telemetry.enriched_records import event_of
from tools.costs import model

Resource = dict[str, Any]

ENVIRONMENTS = ["local", "dev", "prod"]
every_environment = pytest.mark.parametrize("resources", ENVIRONMENTS, indirect=True)
prod = pytest.mark.parametrize("resources", ["prod"], indirect=True)

# X-Ray knows no resources, nor do the deliveries that bring the logs of state machines, lists of streams, and
# statements of the Data API.
ACTIONS_WITHOUT_RESOURCES = {
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "lambda:ListEventSourceMappings",
    *(f"logs:{verb}LogDelivery" for verb in ("Create", "Delete", "Get", "Update")),
    "logs:DescribeLogGroups",
    "logs:GetQueryResults",
    "logs:DescribeResourcePolicies",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "kinesis:ListStreams",
    "kinesis:UpdateShardCount",
    "redshift-data:DescribeStatement",
    "redshift-data:GetStatementResult",
    "redshift-data:ListStatements",
    "redshift-serverless:ListUsageLimits",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}

# What a Condition may ask of EventBridge: nothing in a topic's policy, and of a key what SNS and SQS send.
EVENTBRIDGE_CONTEXT = {
    "aws_kms_key": {"kms:EncryptionContext:aws:sns:topicArn", "kms:EncryptionContext:aws:sqs:arn"},
    "aws_sns_topic_policy": set(),
    "aws_sqs_queue_policy": {"aws:SourceArn"},
}


@every_environment
def test_data_at_rest_is_encrypted_with_the_key_of_its_class(resources: list[Resource]) -> None:
    keys = _of(resources, "aws_kms_key")
    assert {_class(key["values"]["arn"]) for key in keys} == {
        "credentials",
        "events",
        "operations",
        "players",
    }
    assert all(key["values"]["enable_key_rotation"] for key in keys)
    tables = {
        table["values"]["name"].rpartition("-")[2]: table["values"]["server_side_encryption"][0][
            "kms_key_arn"
        ]
        for table in _of(resources, "aws_dynamodb_table")
    }
    namespaces = [one for one in resources if one["type"] == "aws_redshiftserverless_namespace"]
    deliveries = _of(resources, "aws_kinesis_firehose_delivery_stream")
    objects = _of(resources, "aws_s3_object")
    packages = [one for one in objects if one["values"]["key"].startswith("artifacts/functions/")]
    assert len(packages) == len(_of(resources, "aws_lambda_function"))
    used = {
        "credentials": [
            tables.pop("games"),
            *(secret["values"]["kms_key_id"] for secret in _of(resources, "aws_secretsmanager_secret")),
            *(namespace["values"]["admin_password_secret_kms_key_id"] for namespace in namespaces),
        ],
        "events": [
            *(stream["values"]["kms_key_id"] for stream in _of(resources, "aws_kinesis_stream")),
            *(one["values"]["extended_s3_configuration"][0]["kms_key_arn"] for one in deliveries),
            *(one["values"]["server_side_encryption"][0]["key_arn"] for one in deliveries),
            *(one["values"]["kms_key_id"] for one in objects if one not in packages),
            *(
                workgroup["values"]["configuration"][0]["result_configuration"][0][
                    "encryption_configuration"
                ][0]["kms_key_arn"]
                for workgroup in _of(resources, "aws_athena_workgroup")
            ),
            *(
                rule["apply_server_side_encryption_by_default"][0]["kms_master_key_id"]
                for bucket in _of(resources, "aws_s3_bucket_server_side_encryption_configuration")
                for rule in bucket["values"]["rule"]
            ),
            *(namespace["values"]["kms_key_id"] for namespace in namespaces),
        ],
        "players": [tables.pop(name) for name in ("players", "leaderboards", "events", "questions")],
        "operations": [
            *tables.values(),
            *(log["values"]["kms_key_id"] for log in _of(resources, "aws_cloudwatch_log_group")),
            *(queue["values"]["kms_master_key_id"] for queue in _of(resources, "aws_sqs_queue")),
            *(topic["values"]["kms_master_key_id"] for topic in _of(resources, "aws_sns_topic")),
            *(function["values"]["kms_key_arn"] for function in _of(resources, "aws_lambda_function")),
            *(package["values"]["kms_key_id"] for package in packages),
            *(schedule["values"]["kms_key_arn"] for schedule in _of(resources, "aws_scheduler_schedule")),
            *(one["values"]["encryption_configuration"][0]["kms_key_id"] for one in _batch(resources)),
        ],
    }
    assert {name: {_class(arn) for arn in arns} for name, arns in used.items()} == {
        name: {name} for name in used
    }


@every_environment
def test_a_role_may_use_the_keys_of_what_it_touches_and_no_other(resources: list[Resource]) -> None:
    """Services call KMS with the rights of whoever calls them; settings and schedules take `operations`."""
    for role in _of(resources, "aws_iam_role_policy"):
        granted, needed = set(), set()
        for statement in json.loads(role["values"]["policy"])["Statement"]:
            for action, resource in product(statement["Action"], statement["Resource"]):
                if action.startswith("kms:"):
                    granted.add((action, _class(resource)))
                else:
                    needed |= {(call, _data_class(action, resource)) for call in _key_calls(action)}
        assert needed <= granted, role["address"]
        assert {name for _, name in granted} - {name for _, name in needed} <= {"operations"}, role["address"]


@every_environment
def test_buckets_are_private_versioned_and_refuse_plain_http(resources: list[Resource]) -> None:
    (bucket,) = _of(resources, "aws_s3_bucket")
    (policy,) = _of(resources, "aws_s3_bucket_policy")
    (block,) = _of(resources, "aws_s3_bucket_public_access_block")
    (versioning,) = _of(resources, "aws_s3_bucket_versioning")
    statement, *of_receipts = json.loads(policy["values"]["policy"])["Statement"]
    assert all(other["Effect"] == "Deny" for other in of_receipts)
    assert bool(of_receipts) != bucket["values"]["force_destroy"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [bucket["values"]["arn"], bucket["values"]["arn"] + "/*"]
    names = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    assert all(block["values"][name] for name in names)
    assert versioning["values"]["versioning_configuration"][0]["status"] == "Enabled"


@every_environment
def test_logs_expire(resources: list[Resource]) -> None:
    assert all(log["values"]["retention_in_days"] > 0 for log in _of(resources, "aws_cloudwatch_log_group"))


@every_environment
def test_apis_are_throttled_and_log_no_secrets(resources: list[Resource]) -> None:
    (rest,) = _of(resources, "aws_api_gateway_method_settings")
    (http,) = _of(resources, "aws_apigatewayv2_stage")
    (rest_stage,) = _of(resources, "aws_api_gateway_stage")
    settings = rest["values"]["settings"][0]
    route = http["values"]["default_route_settings"][0]
    assert rest["values"]["method_path"] == "*/*"
    for limits in (settings, route):
        assert limits["throttling_rate_limit"] > 0
        assert limits["throttling_burst_limit"] > 0
    assert settings["data_trace_enabled"] is False
    for stage in (rest_stage, http):
        log_format = stage["values"]["access_log_settings"][0]["format"].lower()
        assert not re.search(r"body|header|apikey|sourceip", log_format)
        # The id of a key, of 4 random bytes, opens nothing; a token's `sub` is a person's random id.
        of_authorizer = {"game_id", "key_id"} if stage is rest_stage else {"claims"}
        assert set(re.findall(r"\$context\.authorizer\.(\w+)", log_format)) == of_authorizer


@every_environment
def test_api_gateways_own_errors_are_those_of_the_openapi_document(resources: list[Resource]) -> None:
    for values in (response["values"] for response in _of(resources, "aws_api_gateway_gateway_response")):
        (body,) = values["response_templates"].values()
        defaults = {"DEFAULT_4XX": "400", "DEFAULT_5XX": "503"}
        status = defaults.get(values["response_type"], values["status_code"])
        for path in openapi_contract.DOCUMENT["paths"]:
            openapi_contract.check({"statusCode": status, "body": body}, path)


@every_environment
def test_only_preflights_need_no_key_and_reach_no_function(resources: list[Resource]) -> None:
    methods = [method["values"] for method in _of(resources, "aws_api_gateway_method")]
    assert {(method["http_method"], method["authorization"]) for method in methods} == {
        ("POST", "CUSTOM"),
        ("OPTIONS", "NONE"),
    }
    integrations = [integration["values"] for integration in _of(resources, "aws_api_gateway_integration")]
    assert {(each["http_method"], each["type"]) for each in integrations} == {
        ("POST", "AWS_PROXY"),
        ("OPTIONS", "MOCK"),
    }


@every_environment
def test_the_rest_api_stands_behind_the_firewall(resources: list[Resource]) -> None:
    (stage,) = _of(resources, "aws_api_gateway_stage")
    protected = {
        association["values"]["resource_arn"]: association["address"]
        for association in _of(resources, "aws_wafv2_web_acl_association")
    }
    assert "module.ingest." in protected.pop(stage["values"]["arn"])
    names = {web_acl["values"]["name"] for web_acl in _of(resources, "aws_wafv2_web_acl")}
    assert len(names) == 1 + len(protected)
    # The sign-in page of prod's tests has one of its own.
    assert set(protected) <= {pool["values"]["arn"] for pool in _user_pools(resources)}


def _user_pools(resources: list[Resource]) -> list[Resource]:
    """Return the user pool, where people sign in."""
    return [resource for resource in resources if resource["type"] == "aws_cognito_user_pool"]


@prod
def test_prod_counts_the_usage_of_each_game(resources: list[Resource]) -> None:
    for method in (found["values"] for found in _of(resources, "aws_api_gateway_method")):
        assert bool(method["api_key_required"]) is (method["http_method"] == "POST")
    assert _of(resources, "aws_wafv2_web_acl_logging_configuration")


@every_environment
def test_the_metrics_api_gives_data_for_a_signature_or_a_token_only(resources: list[Resource]) -> None:
    """Only prod's tests switch the sign-in on, and the emulator's environment has it."""
    routes = {
        route["values"]["route_key"]: route["values"]["authorization_type"]
        for route in _of(resources, "aws_apigatewayv2_route")
    }
    assert routes.pop("$default") == "AWS_IAM"
    assert bool(routes) == bool(_user_pools(resources))
    for key, kind in routes.items():
        is_for_data = key.partition(" ")[2].startswith(f"{callers.SIGNED_IN}/v1/")
        assert kind == ("JWT" if is_for_data else "NONE"), key
    pages = {f"GET {path}" for path in (*live_page.PAGES, f"{callers.ASSETS}{{proxy+}}")}
    assert {key for key, kind in routes.items() if kind == "NONE"} == (pages if routes else set())


@every_environment
def test_policies_name_actions_and_resources(resources: list[Resource]) -> None:
    for statement in _statements(resources):
        wildcards = {action for action in statement["Action"] if "*" in action}
        assert not wildcards, statement
        if statement["Resource"] == ["*"]:
            assert set(statement["Action"]) <= ACTIONS_WITHOUT_RESOURCES, statement


@every_environment
def test_a_role_is_assumed_by_one_service(resources: list[Resource]) -> None:
    for role in _of(resources, "aws_iam_role"):
        (statement,) = json.loads(role["values"]["assume_role_policy"])["Statement"]
        assert statement["Action"] == "sts:AssumeRole"
        assert list(statement["Principal"]) == ["Service"], role["address"]


@every_environment
def test_streams_keep_records_longer_than_batches_are_retried(resources: list[Resource]) -> None:
    retention = min(stream["values"]["retention_period"] for stream in _of(resources, "aws_kinesis_stream"))
    mappings = _of(resources, "aws_lambda_event_source_mapping")
    assert len(mappings) == 4
    assert [
        mapping["address"] for mapping in mappings if mapping["values"]["parallelization_factor"] > 1
    ] == [mapping["address"] for mapping in mappings if "leaderboards" in mapping["address"]], (
        "counters of a shard need one reader; boards do not"
    )
    for mapping in mappings:
        assert retention * 3600 > mapping["values"]["maximum_record_age_in_seconds"]
        assert mapping["values"]["destination_config"][0]["on_failure"][0]["destination_arn"]


@every_environment
def test_lambda_hands_scores_to_leaderboards_and_every_event_to_player_state(
    resources: list[Resource],
) -> None:
    """The filter is judged by the emulator's own, which reads the records as Lambda does."""
    kinds = {kind for kind, _ in catalog.event_types()}
    sent = records(
        *(encode({"event_type": kind, "payload": {"event_type": "score_submitted"}}) for kind in kinds)
    )
    taken = {}
    for mapping in _of(resources, "aws_lambda_event_source_mapping"):
        filters = [
            {"Pattern": one["pattern"]} for of in mapping["values"]["filter_criteria"] for one in of["filter"]
        ]
        kept = lambda_svc._apply_filter_criteria(sent, {"FilterCriteria": {"Filters": filters}})
        taken[mapping["address"].split(".")[3]] = {event_of(record)["event_type"] for record in kept}
    assert taken["leaderboards"] == {"score_submitted"}
    assert taken["player_state"] == kinds


@every_environment
def test_the_flink_application_understands_its_properties(resources: list[Resource]) -> None:
    (application,) = _of(resources, "aws_kinesisanalyticsv2_application")
    (configuration,) = application["values"]["application_configuration"]
    (properties,) = configuration["environment_properties"]
    groups = {group["property_group_id"]: group["property_map"] for group in properties["property_group"]}
    assert set(groups) == {"kinesis.analytics.flink.run.options", "alerts", "names", "streams", "windows"}
    assert settings.parse(groups).streams.region


@pytest.mark.parametrize("resources", ["local", "dev"], indirect=True)
def test_no_subscription_is_wanted_unless_dashboards_are_turned_on(resources: list[Resource]) -> None:
    assert not [
        r["address"] for r in resources if r["type"].startswith(("aws_quicksight", "aws_cloudformation"))
    ]


@prod
def test_prods_data_sets_are_seen_by_the_rules_alone(resources: list[Resource]) -> None:
    (stack,) = [r for r in resources if r["address"].endswith("aws_cloudformation_stack.rules")]
    (rules,) = json.loads(stack["values"]["template_body"])["Resources"].values()
    assert rules["Properties"]["UseAs"] == "RLS_RULES"
    assert "Permissions" not in rules["Properties"]
    for data_set in _of(resources, "aws_quicksight_data_set"):
        (rule,) = data_set["values"]["row_level_permission_data_set"]
        assert (rule["arn"], rule["permission_policy"], rule["status"]) == (
            stack["values"]["outputs"]["RulesArn"],
            "GRANT_ACCESS",
            "ENABLED",
        ), data_set["address"]


@prod
def test_prod_brings_each_day_into_tables_that_are_tended(resources: list[Resource]) -> None:
    (schedule,) = (one for one in _of(resources, "aws_scheduler_schedule") if "batch" in one["address"])
    (machine,) = _batch(resources)
    assert schedule["values"]["state"] == "ENABLED"
    assert schedule["values"]["schedule_expression"] == "cron(10 2 * * ? *)"
    assert schedule["values"]["target"][0]["arn"] == machine["values"]["arn"]
    assert machine["values"]["tracing_configuration"][0]["enabled"]
    tables = {
        table["values"]["name"]
        for table in _of(resources, "aws_glue_catalog_table")
        if table["values"]["open_table_format_input"]
    }
    optimizers = _of(resources, "aws_glue_catalog_table_optimizer")
    assert {optimizer["values"]["table_name"] for optimizer in optimizers} == tables
    used = [statement for statement in _statements(resources) if statement["Sid"] == "UseTables"]
    assert len(used) == 2, "the job and the optimizers"
    for statement in used:
        assert {arn.rpartition("/")[2] for arn in statement["Resource"] if ":table/" in arn} == tables


@prod
def test_prod_has_a_warehouse_that_only_its_network_reaches(resources: list[Resource]) -> None:
    (workgroup,) = _of(resources, "aws_redshiftserverless_workgroup")
    assert not workgroup["values"]["publicly_accessible"]
    subnets = {subnet["values"]["id"] for subnet in _of(resources, "aws_subnet")}
    assert len(subnets) == 3
    assert set(workgroup["values"]["subnet_ids"]) == subnets
    assert not {resource["type"] for resource in resources} & {"aws_internet_gateway", "aws_nat_gateway"}


@every_environment
def test_eventbridge_is_asked_for_no_source_that_it_does_not_send(resources: list[Resource]) -> None:
    policies = [
        (kind, resource["values"]["policy"])
        for kind in EVENTBRIDGE_CONTEXT
        for resource in _of(resources, kind)
    ]
    assert all(_eventbridge_keys(policy) <= EVENTBRIDGE_CONTEXT[kind] for kind, policy in policies)
    assert {kind for kind, policy in policies if "events.amazonaws.com" in policy} == set(EVENTBRIDGE_CONTEXT)


def test_a_source_that_eventbridge_does_not_send_is_found() -> None:
    statement = {
        "Principal": {"Service": "events.amazonaws.com"},
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:eu-west-1:111122223333:rule/alerts"}},
    }
    found = _eventbridge_keys(json.dumps({"Statement": [statement]}))
    assert found <= EVENTBRIDGE_CONTEXT["aws_sqs_queue_policy"]
    assert not found <= EVENTBRIDGE_CONTEXT["aws_sns_topic_policy"]
    assert not found <= EVENTBRIDGE_CONTEXT["aws_kms_key"]


@every_environment
def test_what_cannot_be_delivered_is_kept_and_noticed(resources: list[Resource]) -> None:
    targets = [
        *(it["values"] for it in _of(resources, "aws_cloudwatch_event_target")),
        *(it["values"]["target"][0] for it in _of(resources, "aws_scheduler_schedule")),
    ]
    assert all(target["dead_letter_config"] for target in targets)
    watched = {
        it["values"]["dimensions"].get("QueueName")
        for it in _of(resources, "aws_cloudwatch_metric_alarm")
        if it["values"]["dimensions"]
    }
    assert {it["values"]["name"] for it in _of(resources, "aws_sqs_queue")} <= watched


@every_environment
def test_what_may_be_destroyed_can_be_made_again_at_once(resources: list[Resource]) -> None:
    """A secret that waits for its deletion keeps its name."""
    (bucket,) = _of(resources, "aws_s3_bucket")
    days = {it["values"]["recovery_window_in_days"] for it in _of(resources, "aws_secretsmanager_secret")}
    assert days == ({0} if bucket["values"]["force_destroy"] else {30})


@prod
def test_prod_cannot_lose_data_by_mistake(resources: list[Resource]) -> None:
    tables = _of(resources, "aws_dynamodb_table")
    assert len(tables) == 13
    assert all(table["values"]["deletion_protection_enabled"] for table in tables)
    assert all(table["values"]["point_in_time_recovery"][0]["enabled"] for table in tables)
    assert not any(bucket["values"]["force_destroy"] for bucket in _of(resources, "aws_s3_bucket"))
    assert all(key["values"]["deletion_window_in_days"] == 30 for key in _of(resources, "aws_kms_key"))


@prod
def test_the_cost_model_prices_as_many_as_there_are(resources: list[Resource]) -> None:
    queries = [alarm["values"]["metric_query"] for alarm in _of(resources, "aws_cloudwatch_metric_alarm")]
    planned = {
        # Each metric of an expression is billed.
        "alarm_metrics": sum(max(1, sum(bool(query["metric"]) for query in of or [])) for of in queries),
        "composite_alarms": len(_of(resources, "aws_cloudwatch_composite_alarm")),
        "dashboards": len(_of(resources, "aws_cloudwatch_dashboard")),
        "keys": len(_of(resources, "aws_kms_key")),
        "queues": len(_of(resources, "aws_sqs_queue")),
    }
    assert planned == {name: pytest.approx(model.usage(name), rel=0.1) for name in planned}


@prod
def test_prods_alarms_and_budget_reach_somebody(resources: list[Resource]) -> None:
    told = {
        subscription["values"]["endpoint"] for subscription in _of(resources, "aws_sns_topic_subscription")
    }
    (budget,) = _of(resources, "aws_budgets_budget")
    warned = {n["threshold"]: set(n["subscriber_email_addresses"]) for n in budget["values"]["notification"]}
    assert warned == dict.fromkeys((50, 80, 100), told)
    assert "ops@example.com" in told


@prod
def test_prod_scales_and_can_be_looked_into(resources: list[Resource]) -> None:
    modes = {
        stream["values"]["name"].rpartition("-")[2]: stream["values"]["stream_mode_details"][0]["stream_mode"]
        for stream in _of(resources, "aws_kinesis_stream")
    }
    assert set(modes.values()) == {"PROVISIONED"}
    functions = {
        function["values"]["function_name"].removeprefix("player-analytics-prod-"): function["values"]
        for function in _of(resources, "aws_lambda_function")
    }
    # Windows are few, however many events there are.
    scaled = json.loads(functions["stream-scaling"]["environment"][0]["variables"]["STREAMS"])
    assert {name.rpartition("-")[2] for name in scaled} == {"enriched", "raw"}
    assert all(bounds["maximum"] >= 32 * bounds["minimum"] for bounds in scaled.values())
    traced = {name for name, values in functions.items() if values["tracing_config"][0]["mode"] == "Active"}
    assert traced == {"authorizer", "ingest"}
    assert _of(resources, "aws_xray_sampling_rule")
    assert all(
        log["values"]["retention_in_days"] >= 365 for log in _of(resources, "aws_cloudwatch_log_group")
    )


def _eventbridge_keys(policy: str) -> set[str]:
    """Return the keys that a policy's conditions ask of EventBridge."""
    return {
        key
        for statement in json.loads(policy)["Statement"]
        if statement["Principal"] == {"Service": "events.amazonaws.com"}
        for operands in statement.get("Condition", {}).values()
        for key in operands
    }


def _of(resources: list[Resource], kind: str) -> list[Resource]:
    found = [resource for resource in resources if resource["type"] == kind]
    assert found, f"no {kind} in the environment"
    return found


def _batch(resources: list[Resource]) -> list[Resource]:
    """Return the state machine of the batch run; local has none."""
    return [resource for resource in resources if resource["type"] == "aws_sfn_state_machine"]


def _statements(resources: list[Resource]) -> Iterator[dict[str, Any]]:
    for policy in _of(resources, "aws_iam_role_policy"):
        yield from json.loads(policy["values"]["policy"])["Statement"]


def _class(key_arn: str) -> str:
    return key_arn.rpartition("/")[2]


def _key_calls(action: str) -> set[str]:
    """Return what a service asks of KMS for an action; writing to a table decrypts its key as well."""
    match action.split(":"):
        case ["dynamodb", _] | ["kinesis", "GetRecords"] | ["s3", "GetObject"] | ["secretsmanager", _]:
            return {"kms:Decrypt"}
        case ["kinesis", "PutRecords"] | ["s3", "PutObject"]:
            return {"kms:GenerateDataKey"}
        case ["sns", "Publish"] | ["sqs", "SendMessage"]:
            return {"kms:Decrypt", "kms:GenerateDataKey"}
        # The Data API keeps statements under the key of the warehouse, which its caller grants to it.
        case ["redshift-data", "BatchExecuteStatement" | "ExecuteStatement"]:
            return {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"}
    return set()


def _data_class(action: str, resource: str) -> str:
    match action.split(":")[0], resource.split("/")[1:2]:
        case ("dynamodb", ["games"]) | ("secretsmanager", _):
            return "credentials"
        case ("dynamodb", ["leaderboards" | "players" | "recent-events" | "saved-questions"]):
            return "players"
        case ("kinesis" | "redshift-data" | "s3", _):
            return "events"
    return "operations"
