# Values that AWS computes, in the form of AWS: the provider checks ARNs and policies even when it is mocked.
mock_data "aws_availability_zones" {
  defaults = {
    names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  }
}

mock_data "aws_caller_identity" {
  defaults = {
    account_id = "111122223333"
  }
}

mock_data "aws_partition" {
  defaults = {
    partition = "aws"
  }
}

mock_data "aws_region" {
  defaults = {
    name = "eu-west-1"
  }
}

mock_resource "aws_api_gateway_rest_api" {
  defaults = {
    execution_arn = "arn:aws:execute-api:eu-west-1:111122223333:mockrest"
    id            = "mockrest"
  }
}

mock_resource "aws_api_gateway_stage" {
  defaults = {
    arn = "arn:aws:apigateway:eu-west-1::/restapis/mockrest/stages/live"
  }
}

mock_resource "aws_apigatewayv2_api" {
  defaults = {
    api_endpoint  = "https://mockhttp.execute-api.eu-west-1.amazonaws.com"
    execution_arn = "arn:aws:execute-api:eu-west-1:111122223333:mockhttp"
    id            = "mockhttp"
  }
}

# The stack of the QuickSight data source has the first output, the stack of the rules the second.
mock_resource "aws_cloudformation_stack" {
  defaults = {
    outputs = {
      Arn      = "arn:aws:quicksight:eu-west-1:111122223333:datasource/mock"
      RulesArn = "arn:aws:quicksight:eu-west-1:111122223333:dataset/rules"
    }
  }
}

mock_resource "aws_cloudwatch_event_rule" {
  defaults = {
    arn = "arn:aws:events:eu-west-1:111122223333:rule/mock"
  }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = {
    arn = "arn:aws:logs:eu-west-1:111122223333:log-group:mock"
  }
}

mock_resource "aws_cloudwatch_log_stream" {
  defaults = {
    arn = "arn:aws:logs:eu-west-1:111122223333:log-group:mock:log-stream:mock"
  }
}

mock_resource "aws_cognito_user_pool" {
  defaults = {
    arn = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_AbCdEfGhI"
    id  = "eu-west-1_AbCdEfGhI"
  }
}

mock_resource "aws_cognito_user_pool_client" {
  defaults = {
    id = "3ho4ek12345678909nh3fmhpko"
  }
}

mock_resource "aws_dynamodb_table" {
  defaults = {
    arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/mock"
  }
}

mock_resource "aws_iam_openid_connect_provider" {
  defaults = {
    arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
  }
}

mock_resource "aws_iam_policy" {
  defaults = {
    arn = "arn:aws:iam::111122223333:policy/mock"
  }
}

mock_resource "aws_iam_role" {
  defaults = {
    arn = "arn:aws:iam::111122223333:role/mock"
  }
}

mock_resource "aws_kinesis_firehose_delivery_stream" {
  defaults = {
    arn = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/mock"
  }
}

mock_resource "aws_kinesis_stream" {
  defaults = {
    arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/mock"
  }
}

mock_resource "aws_kms_key" {
  defaults = {
    arn    = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
    key_id = "00000000-0000-4000-8000-000000000000"
  }
}

mock_resource "aws_lambda_function" {
  defaults = {
    arn        = "arn:aws:lambda:eu-west-1:111122223333:function:mock"
    invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function:mock/invocations"
  }
}

mock_resource "aws_lambda_layer_version" {
  defaults = {
    arn = "arn:aws:lambda:eu-west-1:111122223333:layer:mock:1"
  }
}

mock_resource "aws_quicksight_data_set" {
  defaults = {
    arn = "arn:aws:quicksight:eu-west-1:111122223333:dataset/mock"
  }
}

mock_resource "aws_quicksight_group" {
  defaults = {
    arn = "arn:aws:quicksight:eu-west-1:111122223333:group/default/mock"
  }
}

mock_resource "aws_quicksight_vpc_connection" {
  defaults = {
    arn = "arn:aws:quicksight:eu-west-1:111122223333:vpcConnection/mock"
  }
}

mock_resource "aws_s3_bucket" {
  defaults = {
    arn = "arn:aws:s3:::mock"
  }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = {
    arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mock"
  }
}

mock_resource "aws_sns_topic" {
  defaults = {
    arn = "arn:aws:sns:eu-west-1:111122223333:mock"
  }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = {
    arn = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/mock/00000000-0000-4000-8000-000000000000"
  }
}

mock_resource "aws_sqs_queue" {
  defaults = {
    arn = "arn:aws:sqs:eu-west-1:111122223333:mock"
  }
}

mock_resource "aws_emrserverless_application" {
  defaults = {
    arn = "arn:aws:emr-serverless:eu-west-1:111122223333:/applications/mock"
    id  = "mock"
  }
}

mock_resource "aws_sfn_state_machine" {
  defaults = {
    arn = "arn:aws:states:eu-west-1:111122223333:stateMachine:mock"
  }
}

mock_resource "aws_redshiftserverless_namespace" {
  defaults = {
    admin_password_secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mock"
    arn                       = "arn:aws:redshift-serverless:eu-west-1:111122223333:namespace/mock"
  }
}

mock_resource "aws_redshiftserverless_workgroup" {
  defaults = {
    arn = "arn:aws:redshift-serverless:eu-west-1:111122223333:workgroup/mock"
  }
}

# The answer of a finished migration.
mock_resource "aws_lambda_invocation" {
  defaults = {
    result = "{\"applied\":[],\"state\":\"current\"}"
  }
}

mock_resource "aws_api_gateway_resource" {
  defaults = {
    id = "mockid"
  }
}

mock_resource "aws_api_gateway_usage_plan" {
  defaults = {
    arn = "arn:aws:apigateway:eu-west-1::/usageplans/mockid"
    id  = "mockid"
  }
}

mock_resource "aws_athena_workgroup" {
  defaults = {
    arn = "arn:aws:athena:eu-west-1:111122223333:workgroup/mock"
  }
}

mock_resource "aws_apigatewayv2_integration" {
  defaults = {
    id = "mockid"
  }
}

mock_resource "aws_apigatewayv2_stage" {
  defaults = {
    arn        = "arn:aws:apigateway:eu-west-1::/apis/mockhttp/stages/$default"
    invoke_url = "https://mockhttp.execute-api.eu-west-1.amazonaws.com/"
  }
}

mock_resource "aws_glue_catalog_database" {
  defaults = {
    arn        = "arn:aws:glue:eu-west-1:111122223333:database/mock"
    catalog_id = "111122223333"
  }
}

mock_resource "aws_glue_catalog_table" {
  defaults = {
    arn        = "arn:aws:glue:eu-west-1:111122223333:table/mock/mock"
    catalog_id = "111122223333"
  }
}

mock_resource "aws_kinesisanalyticsv2_application" {
  defaults = {
    arn    = "arn:aws:kinesisanalytics:eu-west-1:111122223333:application/mock"
    status = "RUNNING"
  }
}

mock_resource "aws_lambda_event_source_mapping" {
  defaults = {
    arn  = "arn:aws:lambda:eu-west-1:111122223333:event-source-mapping:00000000-0000-4000-8000-000000000000"
    uuid = "00000000-0000-4000-8000-000000000000"
  }
}

mock_resource "aws_route_table" {
  defaults = {
    id = "rtb-0123456789abcdef0"
  }
}

mock_resource "aws_vpc" {
  defaults = {
    id = "vpc-0123456789abcdef0"
  }
}

mock_resource "aws_vpc_endpoint" {
  defaults = {
    id             = "vpce-0123456789abcdef0"
    prefix_list_id = "pl-01234567"
  }
}

# Keys, and tables that most tables do not share a key with, have values of their own.
override_resource {
  target = module.platform.module.security.aws_kms_key.this["credentials"]
  values = { arn = "arn:aws:kms:eu-west-1:111122223333:key/credentials", key_id = "credentials" }
}

override_resource {
  target = module.platform.module.security.aws_kms_key.this["events"]
  values = { arn = "arn:aws:kms:eu-west-1:111122223333:key/events", key_id = "events" }
}

override_resource {
  target = module.platform.module.security.aws_kms_key.this["operations"]
  values = { arn = "arn:aws:kms:eu-west-1:111122223333:key/operations", key_id = "operations" }
}

override_resource {
  target = module.platform.module.security.aws_kms_key.this["players"]
  values = { arn = "arn:aws:kms:eu-west-1:111122223333:key/players", key_id = "players" }
}

override_resource {
  target = module.platform.module.game_registry.module.games.aws_dynamodb_table.this
  values = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/games" }
}

override_resource {
  target = module.platform.module.leaderboards.module.leaderboards.aws_dynamodb_table.this
  values = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/leaderboards" }
}

override_resource {
  target = module.platform.module.player_state.module.players.aws_dynamodb_table.this
  values = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/players" }
}

override_resource {
  target = module.platform.module.processor.module.recent_events.aws_dynamodb_table.this
  values = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/recent-events" }
}

override_resource {
  target = module.platform.module.metrics_api.module.saved_questions.aws_dynamodb_table.this
  values = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/saved-questions" }
}

# These types have no values: the mock makes up computed values, which a plan then knows. Add a type when another
# resource refers to it. tests/plan/test_plans.py refuses a plan with an unknown value.
mock_resource "aws_api_gateway_authorizer" {
  defaults = {}
}

mock_resource "aws_apigatewayv2_authorizer" {
  defaults = {}
}

mock_resource "aws_cognito_identity_provider" {
  defaults = {}
}

mock_resource "aws_cognito_resource_server" {
  defaults = {}
}

mock_resource "aws_cognito_user_pool_domain" {
  defaults = {}
}

mock_resource "aws_api_gateway_deployment" {
  defaults = {}
}

mock_resource "aws_s3_object" {
  defaults = {}
}

mock_resource "aws_security_group" {
  defaults = {}
}

mock_resource "aws_subnet" {
  defaults = {}
}
