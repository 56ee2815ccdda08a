"""What the AWS provider asks AWS for each type of resource when Terraform refreshes and plans it.

Recorded from provider 5.100.0 on the emulator (`TF_LOG=JSON`, messages "HTTP Request Sent") on 28 November
2026; tests/integration/test_provider_reads.py records those of `local` again. The emulator lacks the types in
`FROM_SOURCE`. The VPC connection, the refresh schedule and the data set were read in the source of the
provider. The others are written from its documentation and the names of the services' calls.
"""

# The calls of each type, by the prefix of the service's actions.
READS: dict[str, dict[str, str]] = {
    "aws_api_gateway_account": {"apigateway": "GetAccount"},
    "aws_api_gateway_authorizer": {"apigateway": "GetAuthorizer"},
    "aws_api_gateway_deployment": {"apigateway": "GetDeployment"},
    "aws_api_gateway_gateway_response": {"apigateway": "GetGatewayResponse"},
    "aws_api_gateway_integration": {"apigateway": "GetIntegration"},
    "aws_api_gateway_integration_response": {"apigateway": "GetIntegrationResponse"},
    "aws_api_gateway_method": {"apigateway": "GetMethod"},
    "aws_api_gateway_method_response": {"apigateway": "GetMethodResponse"},
    "aws_api_gateway_method_settings": {"apigateway": "GetStage"},
    "aws_api_gateway_resource": {"apigateway": "GetResource"},
    "aws_api_gateway_rest_api": {"apigateway": "GetResources GetRestApi"},
    "aws_api_gateway_stage": {"apigateway": "GetStage"},
    "aws_api_gateway_usage_plan": {"apigateway": "GetUsagePlan"},
    "aws_apigatewayv2_api": {"apigateway": "GetApi"},
    "aws_apigatewayv2_authorizer": {"apigateway": "GetAuthorizer"},
    "aws_apigatewayv2_integration": {"apigateway": "GetIntegration"},
    "aws_apigatewayv2_route": {"apigateway": "GetRoute"},
    "aws_apigatewayv2_stage": {"apigateway": "GetApi GetStage"},
    "aws_athena_named_query": {"athena": "GetNamedQuery"},
    "aws_athena_workgroup": {"athena": "GetWorkGroup ListTagsForResource"},
    "aws_availability_zones": {"ec2": "DescribeAvailabilityZones"},
    "aws_budgets_budget": {
        "budgets": (
            "DescribeBudget DescribeNotificationsForBudget DescribeSubscribersForNotification "
            "ListTagsForResource"
        ),
    },
    "aws_caller_identity": {"sts": "GetCallerIdentity"},
    "aws_cloudformation_stack": {"cloudformation": "DescribeStacks GetTemplate"},
    "aws_cloudwatch_composite_alarm": {"cloudwatch": "DescribeAlarms ListTagsForResource"},
    "aws_cloudwatch_dashboard": {"cloudwatch": "GetDashboard"},
    "aws_cloudwatch_event_rule": {"events": "DescribeRule ListTagsForResource"},
    "aws_cloudwatch_event_target": {"events": "ListTargetsByRule"},
    "aws_cloudwatch_log_group": {"logs": "DescribeLogGroups ListTagsForResource"},
    "aws_cloudwatch_log_metric_filter": {"logs": "DescribeMetricFilters"},
    "aws_cloudwatch_log_stream": {"logs": "DescribeLogStreams"},
    "aws_cloudwatch_metric_alarm": {"cloudwatch": "DescribeAlarms ListTagsForResource"},
    "aws_cognito_identity_provider": {"cognito-idp": "DescribeIdentityProvider"},
    "aws_cognito_resource_server": {"cognito-idp": "DescribeResourceServer"},
    "aws_cognito_user_group": {"cognito-idp": "GetGroup"},
    "aws_cognito_user_pool": {"cognito-idp": "DescribeUserPool GetUserPoolMfaConfig"},
    "aws_cognito_user_pool_client": {"cognito-idp": "DescribeUserPoolClient"},
    "aws_cognito_user_pool_domain": {"cognito-idp": "DescribeUserPoolDomain"},
    "aws_default_security_group": {"ec2": "DescribeSecurityGroups"},
    "aws_dynamodb_table": {
        "dynamodb": "DescribeContinuousBackups DescribeTable DescribeTimeToLive ListTagsOfResource",
        "kms": "DescribeKey",
    },
    "aws_emrserverless_application": {"emr-serverless": "GetApplication ListTagsForResource"},
    "aws_flow_log": {"ec2": "DescribeFlowLogs"},
    "aws_glue_catalog_database": {"glue": "GetDatabase GetTags"},
    "aws_glue_catalog_table": {"glue": "GetPartitionIndexes GetTable"},
    "aws_glue_catalog_table_optimizer": {"glue": "GetTableOptimizer"},
    "aws_iam_openid_connect_provider": {"iam": "GetOpenIDConnectProvider"},
    "aws_iam_policy": {"iam": "GetPolicy GetPolicyVersion"},
    "aws_iam_role": {"iam": "GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies"},
    "aws_iam_role_policy": {"iam": "GetRolePolicy"},
    "aws_iam_role_policy_attachment": {"iam": "ListAttachedRolePolicies"},
    "aws_kinesis_firehose_delivery_stream": {"firehose": "DescribeDeliveryStream ListTagsForDeliveryStream"},
    "aws_kinesis_stream": {"kinesis": "DescribeLimits DescribeStreamSummary ListTagsForStream"},
    "aws_kinesisanalyticsv2_application": {"kinesisanalytics": "DescribeApplication ListTagsForResource"},
    "aws_kms_alias": {"kms": "ListAliases"},
    "aws_kms_key": {"kms": "DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags"},
    "aws_lambda_event_source_mapping": {"lambda": "GetEventSourceMapping ListTags"},
    "aws_lambda_function": {"lambda": "GetFunction GetFunctionCodeSigningConfig ListVersionsByFunction"},
    "aws_lambda_function_event_invoke_config": {"lambda": "GetFunctionEventInvokeConfig"},
    "aws_lambda_invocation": {},
    "aws_lambda_layer_version": {"lambda": "GetLayerVersion"},
    "aws_lambda_permission": {"lambda": "GetPolicy"},
    "aws_partition": {},
    "aws_quicksight_data_set": {
        "quicksight": (
            "DescribeDataSet DescribeDataSetPermissions DescribeDataSetRefreshProperties ListTagsForResource"
        ),
    },
    "aws_quicksight_data_source": {
        "quicksight": "DescribeDataSource DescribeDataSourcePermissions ListTagsForResource",
    },
    "aws_quicksight_group": {"quicksight": "DescribeGroup"},
    "aws_quicksight_refresh_schedule": {"quicksight": "DescribeRefreshSchedule"},
    "aws_quicksight_vpc_connection": {"quicksight": "DescribeVPCConnection ListTagsForResource"},
    "aws_redshiftserverless_namespace": {"redshift-serverless": "GetNamespace ListTagsForResource"},
    "aws_redshiftserverless_usage_limit": {"redshift-serverless": "GetUsageLimit"},
    "aws_redshiftserverless_workgroup": {"redshift-serverless": "GetWorkgroup ListTagsForResource"},
    "aws_region": {},
    "aws_route_table": {"ec2": "DescribeRouteTables"},
    "aws_route_table_association": {"ec2": "DescribeRouteTables"},
    "aws_s3_bucket": {
        "s3": (
            "GetBucketAccelerateConfiguration GetBucketAcl GetBucketCors GetBucketEncryption "
            "GetBucketLifecycleConfiguration GetBucketLogging GetBucketPolicy GetBucketReplication "
            "GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite "
            "GetObjectLockConfiguration HeadBucket"
        ),
    },
    "aws_s3_bucket_lifecycle_configuration": {"s3": "GetBucketLifecycleConfiguration"},
    "aws_s3_bucket_ownership_controls": {"s3": "GetBucketOwnershipControls"},
    "aws_s3_bucket_policy": {"s3": "GetBucketPolicy"},
    "aws_s3_bucket_public_access_block": {"s3": "GetPublicAccessBlock"},
    "aws_s3_bucket_server_side_encryption_configuration": {"s3": "GetBucketEncryption"},
    "aws_s3_bucket_versioning": {"s3": "GetBucketVersioning"},
    "aws_s3_object": {"s3": "GetObjectTagging HeadObject"},
    "aws_scheduler_schedule": {"scheduler": "GetSchedule"},
    "aws_secretsmanager_secret": {"secretsmanager": "DescribeSecret GetResourcePolicy"},
    "aws_security_group": {"ec2": "DescribeSecurityGroups"},
    "aws_sesv2_configuration_set": {"ses": "GetConfigurationSet ListTagsForResource"},
    "aws_sfn_state_machine": {
        "states": (
            "DescribeStateMachine ListStateMachineVersions ListTagsForResource ValidateStateMachineDefinition"
        ),
    },
    "aws_sns_topic": {"sns": "GetTopicAttributes ListTagsForResource"},
    "aws_sns_topic_policy": {"sns": "GetTopicAttributes"},
    "aws_sns_topic_subscription": {"sns": "GetSubscriptionAttributes"},
    "aws_sqs_queue": {"sqs": "GetQueueAttributes ListQueueTags"},
    "aws_sqs_queue_policy": {"sqs": "GetQueueAttributes"},
    "aws_subnet": {"ec2": "DescribeSubnets"},
    "aws_vpc": {
        "ec2": (
            "DescribeNetworkAcls DescribeRouteTables DescribeSecurityGroups DescribeVpcAttribute DescribeVpcs"
        ),
    },
    "aws_vpc_endpoint": {"ec2": "DescribePrefixLists DescribeVpcEndpoints"},
    "aws_vpc_security_group_egress_rule": {"ec2": "DescribeSecurityGroupRules"},
    "aws_vpc_security_group_ingress_rule": {"ec2": "DescribeSecurityGroupRules"},
    "aws_wafv2_web_acl": {"wafv2": "GetWebACL ListTagsForResource"},
    # WAF asks the service whose resource it is.
    "aws_wafv2_web_acl_association": {"cognito-idp": "GetWebACLForResource", "wafv2": "GetWebACLForResource"},
    "aws_wafv2_web_acl_logging_configuration": {"wafv2": "GetLoggingConfiguration"},
    "aws_xray_sampling_rule": {"xray": "GetSamplingRules ListTagsForResource"},
}

FROM_SOURCE = {
    "aws_cognito_identity_provider",
    "aws_emrserverless_application",
    "aws_glue_catalog_table_optimizer",
    "aws_quicksight_data_set",
    "aws_quicksight_data_source",
    "aws_quicksight_group",
    "aws_quicksight_refresh_schedule",
    "aws_quicksight_vpc_connection",
    "aws_redshiftserverless_namespace",
    "aws_redshiftserverless_usage_limit",
    "aws_redshiftserverless_workgroup",
    "aws_wafv2_web_acl_logging_configuration",
    "aws_xray_sampling_rule",
}

# IAM authorises these calls by actions of other names (AWS's service authorization reference).
AUTHORIZED_BY = {
    "budgets:DescribeBudget": "budgets:ViewBudget",
    "budgets:DescribeNotificationsForBudget": "budgets:ViewBudget",
    "budgets:DescribeSubscribersForNotification": "budgets:ViewBudget",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
}

# Prefixes of actions by the provider's names of services.
PREFIXES = {
    "API Gateway": "apigateway",
    "ApiGatewayV2": "apigateway",
    "CloudWatch Logs": "logs",
    "Cognito Identity Provider": "cognito-idp",
    "EventBridge": "events",
    "Kinesis Analytics V2": "kinesisanalytics",
    "SESv2": "ses",
    "SFN": "states",
    "Secrets Manager": "secretsmanager",
}


def calls(kind: str) -> set[str]:
    """Return the calls that a plan of a type makes. Raises KeyError for a type without an entry."""
    return {f"{prefix}:{name}" for prefix, names in READS[kind].items() for name in names.split()}


def actions(kind: str) -> set[str]:
    """Return the actions that a plan of a type needs. Raises KeyError for a type without an entry."""
    # API Gateway is authorised by the method and the path of the request.
    return {
        "apigateway:GET" if call.startswith("apigateway:") else AUTHORIZED_BY.get(call, call)
        for call in calls(kind)
    }
