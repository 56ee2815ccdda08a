"""Which calls of AWS make each type of resource, and which member each of their arguments becomes."""

from service_models import Mapping

FILE = "the provider sends the file's bytes"
PATCH = "sent as a patch operation, which the model describes as free text"
PROVIDER = "a setting of the provider that AWS never sees"

MAPPINGS = {
    "aws_api_gateway_account": Mapping(
        "apigateway", ("UpdateAccount",), ignored={"cloudwatch_role_arn": PATCH}
    ),
    "aws_api_gateway_authorizer": Mapping("apigateway", ("CreateAuthorizer",)),
    "aws_api_gateway_deployment": Mapping(
        "apigateway", ("CreateDeployment",), ignored={"triggers": PROVIDER}
    ),
    "aws_api_gateway_gateway_response": Mapping("apigateway", ("PutGatewayResponse",)),
    "aws_api_gateway_integration": Mapping("apigateway", ("PutIntegration",)),
    "aws_api_gateway_integration_response": Mapping("apigateway", ("PutIntegrationResponse",)),
    "aws_api_gateway_method": Mapping(
        "apigateway", ("PutMethod",), renames={"authorization": "authorizationType"}
    ),
    "aws_api_gateway_method_response": Mapping("apigateway", ("PutMethodResponse",)),
    "aws_api_gateway_method_settings": Mapping(
        "apigateway", ("UpdateStage",), ignored={"method_path": PATCH, "settings": PATCH}
    ),
    "aws_api_gateway_resource": Mapping("apigateway", ("CreateResource",)),
    "aws_api_gateway_rest_api": Mapping("apigateway", ("CreateRestApi",)),
    "aws_api_gateway_stage": Mapping(
        "apigateway",
        ("CreateStage",),
        renames={"xray_tracing_enabled": "tracingEnabled"},
        ignored={"access_log_settings": PATCH},
    ),
    "aws_api_gateway_usage_plan": Mapping(
        "apigateway",
        ("CreateUsagePlan",),
        renames={"quota_settings": "quota", "throttle_settings": "throttle"},
    ),
    "aws_apigatewayv2_api": Mapping("apigatewayv2", ("CreateApi",)),
    "aws_apigatewayv2_authorizer": Mapping(
        "apigatewayv2", ("CreateAuthorizer",), renames={"identity_sources": "IdentitySource"}
    ),
    "aws_apigatewayv2_integration": Mapping("apigatewayv2", ("CreateIntegration",)),
    "aws_apigatewayv2_route": Mapping("apigatewayv2", ("CreateRoute",)),
    "aws_apigatewayv2_stage": Mapping("apigatewayv2", ("CreateStage",), renames={"name": "StageName"}),
    "aws_athena_named_query": Mapping("athena", ("CreateNamedQuery",), renames={"query": "QueryString"}),
    "aws_athena_workgroup": Mapping(
        "athena",
        ("CreateWorkGroup",),
        renames={"configuration.result_configuration.encryption_configuration.kms_key_arn": "KmsKey"},
        ignored={"force_destroy": PROVIDER},
    ),
    "aws_budgets_budget": Mapping(
        "budgets",
        ("CreateBudget",),
        renames={
            "budget_type": "Budget.BudgetType",
            "limit_amount": "Budget.BudgetLimit.Amount",
            "limit_unit": "Budget.BudgetLimit.Unit",
            "name": "Budget.BudgetName",
            "notification": "NotificationsWithSubscribers",
            "notification.comparison_operator": "Notification.ComparisonOperator",
            "notification.notification_type": "Notification.NotificationType",
            "notification.subscriber_email_addresses": "Subscribers.Address",
            "notification.threshold": "Notification.Threshold",
            "notification.threshold_type": "Notification.ThresholdType",
            "time_unit": "Budget.TimeUnit",
        },
        supplied=frozenset({"AccountId", "SubscriptionType"}),
    ),
    "aws_cloudformation_stack": Mapping("cloudformation", ("CreateStack",), renames={"name": "StackName"}),
    "aws_cloudwatch_composite_alarm": Mapping("cloudwatch", ("PutCompositeAlarm",)),
    "aws_cloudwatch_dashboard": Mapping("cloudwatch", ("PutDashboard",)),
    "aws_cloudwatch_event_rule": Mapping("events", ("PutRule",)),
    "aws_cloudwatch_event_target": Mapping(
        "events",
        ("PutTargets",),
        renames={
            "arn": "Targets.Arn",
            "dead_letter_config": "Targets.DeadLetterConfig",
            "input": "Targets.Input",
            "input_transformer": "Targets.InputTransformer",
            "input_transformer.input_paths": "InputPathsMap",
            "retry_policy": "Targets.RetryPolicy",
            "retry_policy.maximum_event_age_in_seconds": "MaximumEventAgeInSeconds",
            "role_arn": "Targets.RoleArn",
            "target_id": "Targets.Id",
        },
        supplied=frozenset({"Id"}),
    ),
    "aws_cloudwatch_log_group": Mapping(
        "logs",
        ("CreateLogGroup", "PutRetentionPolicy"),
        renames={"name": "logGroupName"},
        supplied=frozenset({"logGroupName"}),
    ),
    "aws_cloudwatch_log_metric_filter": Mapping(
        "logs",
        ("PutMetricFilter",),
        renames={
            "metric_transformation": "metricTransformations",
            "metric_transformation.name": "metricName",
            "metric_transformation.namespace": "metricNamespace",
            "metric_transformation.value": "metricValue",
            "name": "filterName",
            "pattern": "filterPattern",
        },
    ),
    "aws_cloudwatch_log_resource_policy": Mapping("logs", ("PutResourcePolicy",)),
    "aws_cloudwatch_log_stream": Mapping("logs", ("CreateLogStream",), renames={"name": "logStreamName"}),
    "aws_cloudwatch_metric_alarm": Mapping(
        "cloudwatch",
        ("PutMetricAlarm",),
        renames={
            "metric_query": "Metrics",
            "metric_query.metric": "MetricStat",
            "metric_query.metric.dimensions": "Metric.Dimensions",
            "metric_query.metric.metric_name": "Metric.MetricName",
            "metric_query.metric.namespace": "Metric.Namespace",
        },
    ),
    "aws_cognito_identity_provider": Mapping("cognito-idp", ("CreateIdentityProvider",)),
    "aws_cognito_resource_server": Mapping(
        "cognito-idp", ("CreateResourceServer",), renames={"scope": "Scopes"}
    ),
    "aws_cognito_user_group": Mapping("cognito-idp", ("CreateGroup",), renames={"name": "GroupName"}),
    "aws_cognito_user_pool": Mapping(
        "cognito-idp",
        ("CreateUserPool", "SetUserPoolMfaConfig"),
        renames={
            "account_recovery_setting.recovery_mechanism": "RecoveryMechanisms",
            "admin_create_user_config.invite_message_template": "InviteMessageTemplate",
            "name": "PoolName",
            "password_policy": "Policies.PasswordPolicy",
            "software_token_mfa_configuration": "SetUserPoolMfaConfig#SoftwareTokenMfaConfiguration",
        },
        supplied=frozenset({"UserPoolId"}),
    ),
    "aws_cognito_user_pool_client": Mapping(
        "cognito-idp",
        ("CreateUserPoolClient",),
        renames={
            "allowed_oauth_flows": "AllowedOAuthFlows",
            "allowed_oauth_flows_user_pool_client": "AllowedOAuthFlowsUserPoolClient",
            "allowed_oauth_scopes": "AllowedOAuthScopes",
            "callback_urls": "CallbackURLs",
            "logout_urls": "LogoutURLs",
            "name": "ClientName",
        },
    ),
    "aws_cognito_user_pool_domain": Mapping("cognito-idp", ("CreateUserPoolDomain",)),
    "aws_dynamodb_table": Mapping(
        "dynamodb",
        ("CreateTable", "UpdateTimeToLive", "UpdateContinuousBackups"),
        renames={
            "attribute": "AttributeDefinitions",
            "attribute.name": "AttributeName",
            "attribute.type": "AttributeType",
            "global_secondary_index.hash_key": "KeySchema.AttributeName",
            "global_secondary_index.name": "IndexName",
            "global_secondary_index.projection_type": "Projection.ProjectionType",
            "global_secondary_index.range_key": "KeySchema.AttributeName",
            "hash_key": "KeySchema.AttributeName",
            "name": "TableName",
            "point_in_time_recovery": "UpdateContinuousBackups#PointInTimeRecoverySpecification",
            "point_in_time_recovery.enabled": "PointInTimeRecoveryEnabled",
            "range_key": "KeySchema.AttributeName",
            "server_side_encryption": "SSESpecification",
            "server_side_encryption.kms_key_arn": "KMSMasterKeyId",
            "ttl": "UpdateTimeToLive#TimeToLiveSpecification",
        },
        supplied=frozenset({"KeyType", "TableName"}),
    ),
    "aws_emrserverless_application": Mapping(
        "emr-serverless", ("CreateApplication",), supplied=frozenset({"clientToken"})
    ),
    "aws_flow_log": Mapping(
        "ec2",
        ("CreateFlowLogs",),
        renames={"iam_role_arn": "DeliverLogsPermissionArn", "vpc_id": "ResourceIds"},
        supplied=frozenset({"ResourceType"}),
    ),
    "aws_glue_catalog_database": Mapping(
        "glue",
        ("CreateDatabase",),
        renames={"description": "DatabaseInput.Description", "name": "DatabaseInput.Name"},
    ),
    "aws_glue_catalog_table": Mapping(
        "glue",
        ("CreateTable",),
        renames={
            "description": "TableInput.Description",
            "name": "TableInput.Name",
            "parameters": "TableInput.Parameters",
            "partition_keys": "TableInput.PartitionKeys",
            "storage_descriptor": "TableInput.StorageDescriptor",
            "table_type": "TableInput.TableType",
        },
    ),
    "aws_glue_catalog_table_optimizer": Mapping(
        "glue", ("CreateTableOptimizer",), renames={"configuration": "TableOptimizerConfiguration"}
    ),
    "aws_iam_openid_connect_provider": Mapping("iam", ("CreateOpenIDConnectProvider",)),
    "aws_iam_policy": Mapping(
        "iam", ("CreatePolicy",), renames={"name": "PolicyName", "policy": "PolicyDocument"}
    ),
    "aws_iam_role": Mapping(
        "iam",
        ("CreateRole",),
        renames={"assume_role_policy": "AssumeRolePolicyDocument", "name": "RoleName"},
    ),
    "aws_iam_role_policy": Mapping(
        "iam",
        ("PutRolePolicy",),
        renames={"name": "PolicyName", "policy": "PolicyDocument", "role": "RoleName"},
    ),
    "aws_iam_role_policy_attachment": Mapping("iam", ("AttachRolePolicy",), renames={"role": "RoleName"}),
    "aws_kinesis_firehose_delivery_stream": Mapping(
        "firehose",
        ("CreateDeliveryStream",),
        renames={
            "extended_s3_configuration": "ExtendedS3DestinationConfiguration",
            "extended_s3_configuration.buffering_interval": "BufferingHints.IntervalInSeconds",
            "extended_s3_configuration.buffering_size": "BufferingHints.SizeInMBs",
            "extended_s3_configuration.dynamic_partitioning_configuration.retry_duration": (
                "RetryOptions.DurationInSeconds"
            ),
            "extended_s3_configuration.kms_key_arn": (
                "EncryptionConfiguration.KMSEncryptionConfig.AWSKMSKeyARN"
            ),
            "name": "DeliveryStreamName",
            "server_side_encryption": "DeliveryStreamEncryptionConfigurationInput",
        },
        ignored={
            "destination": "the name of the member that holds the destination",
            "server_side_encryption.enabled": "the member is there or not",
        },
    ),
    "aws_kinesis_stream": Mapping(
        "kinesis",
        ("CreateStream", "IncreaseStreamRetentionPeriod", "StartStreamEncryption"),
        renames={
            "kms_key_id": "StartStreamEncryption#KeyId",
            "name": "StreamName",
            "retention_period": "IncreaseStreamRetentionPeriod#RetentionPeriodHours",
        },
        ignored={"enforce_consumer_deletion": PROVIDER},
    ),
    "aws_kinesisanalyticsv2_application": Mapping(
        "kinesisanalyticsv2",
        ("CreateApplication", "StartApplication"),
        renames={
            "application_configuration.run_configuration": "StartApplication#RunConfiguration",
            "description": "ApplicationDescription",
            "name": "ApplicationName",
        },
        ignored={"start_application": "whether StartApplication is called"},
        supplied=frozenset({"ApplicationName"}),
    ),
    "aws_kms_alias": Mapping("kms", ("CreateAlias",), renames={"name": "AliasName"}),
    "aws_kms_key": Mapping(
        "kms",
        ("CreateKey", "ScheduleKeyDeletion"),
        renames={"deletion_window_in_days": "ScheduleKeyDeletion#PendingWindowInDays"},
        ignored={"enable_key_rotation": "whether EnableKeyRotation is called"},
        supplied=frozenset({"KeyId"}),
    ),
    "aws_lambda_event_source_mapping": Mapping(
        "lambda",
        ("CreateEventSourceMapping",),
        renames={"destination_config.on_failure.destination_arn": "Destination"},
    ),
    "aws_lambda_function": Mapping(
        "lambda",
        ("CreateFunction", "PutFunctionConcurrency"),
        renames={"s3_bucket": "Code.S3Bucket", "s3_key": "Code.S3Key"},
        ignored={"source_code_hash": PROVIDER},
        supplied=frozenset({"FunctionName"}),
        unset={"reserved_concurrent_executions": -1},
    ),
    "aws_lambda_function_event_invoke_config": Mapping("lambda", ("PutFunctionEventInvokeConfig",)),
    "aws_lambda_invocation": Mapping(
        "lambda", ("Invoke",), renames={"input": "Payload"}, ignored={"triggers": PROVIDER}
    ),
    "aws_lambda_layer_version": Mapping(
        "lambda",
        ("PublishLayerVersion",),
        ignored={"filename": FILE, "source_code_hash": PROVIDER},
        supplied=frozenset({"Content"}),
    ),
    "aws_lambda_permission": Mapping("lambda", ("AddPermission",), supplied=frozenset({"StatementId"})),
    "aws_quicksight_data_set": Mapping(
        "quicksight",
        ("CreateDataSet", "PutDataSetRefreshProperties"),
        renames={"refresh_properties": "PutDataSetRefreshProperties#DataSetRefreshProperties"},
        supplied=frozenset({"AwsAccountId", "DataSetId"}),
    ),
    "aws_quicksight_data_source": Mapping(
        "quicksight",
        ("CreateDataSource",),
        renames={
            "parameters": "DataSourceParameters",
            "parameters.athena": "AthenaParameters",
            "parameters.redshift": "RedshiftParameters",
        },
        supplied=frozenset({"AwsAccountId"}),
    ),
    "aws_quicksight_group": Mapping(
        "quicksight", ("CreateGroup",), supplied=frozenset({"AwsAccountId", "Namespace"})
    ),
    "aws_quicksight_refresh_schedule": Mapping(
        "quicksight",
        ("CreateRefreshSchedule",),
        renames={"schedule_id": "Schedule.ScheduleId"},
        supplied=frozenset({"AwsAccountId"}),
    ),
    "aws_quicksight_vpc_connection": Mapping(
        "quicksight", ("CreateVPCConnection",), supplied=frozenset({"AwsAccountId"})
    ),
    "aws_redshiftserverless_namespace": Mapping("redshift-serverless", ("CreateNamespace",)),
    "aws_redshiftserverless_usage_limit": Mapping("redshift-serverless", ("CreateUsageLimit",)),
    "aws_redshiftserverless_workgroup": Mapping("redshift-serverless", ("CreateWorkgroup",)),
    "aws_route_table": Mapping("ec2", ("CreateRouteTable",), renames={"tags": "TagSpecifications.Tags"}),
    "aws_route_table_association": Mapping("ec2", ("AssociateRouteTable",)),
    "aws_s3_bucket": Mapping("s3", ("CreateBucket",), ignored={"force_destroy": PROVIDER}),
    "aws_s3_bucket_lifecycle_configuration": Mapping(
        "s3", ("PutBucketLifecycleConfiguration",), renames={"rule": "LifecycleConfiguration.Rules"}
    ),
    "aws_s3_bucket_ownership_controls": Mapping(
        "s3", ("PutBucketOwnershipControls",), renames={"rule": "OwnershipControls.Rules"}
    ),
    "aws_s3_bucket_policy": Mapping("s3", ("PutBucketPolicy",)),
    "aws_s3_bucket_public_access_block": Mapping(
        "s3",
        ("PutPublicAccessBlock",),
        renames={
            "block_public_acls": "PublicAccessBlockConfiguration.BlockPublicAcls",
            "block_public_policy": "PublicAccessBlockConfiguration.BlockPublicPolicy",
            "ignore_public_acls": "PublicAccessBlockConfiguration.IgnorePublicAcls",
            "restrict_public_buckets": "PublicAccessBlockConfiguration.RestrictPublicBuckets",
        },
    ),
    "aws_s3_bucket_server_side_encryption_configuration": Mapping(
        "s3",
        ("PutBucketEncryption",),
        renames={
            "rule": "ServerSideEncryptionConfiguration.Rules",
            "rule.apply_server_side_encryption_by_default.kms_master_key_id": "KMSMasterKeyID",
        },
    ),
    "aws_s3_bucket_versioning": Mapping("s3", ("PutBucketVersioning",)),
    "aws_s3_object": Mapping(
        "s3",
        ("PutObject",),
        renames={"content": "Body", "kms_key_id": "SSEKMSKeyId"},
        ignored={"source": FILE, "source_hash": PROVIDER},
    ),
    "aws_scheduler_schedule": Mapping("scheduler", ("CreateSchedule",)),
    "aws_secretsmanager_secret": Mapping(
        "secretsmanager",
        ("CreateSecret", "DeleteSecret"),
        renames={"recovery_window_in_days": "DeleteSecret#RecoveryWindowInDays"},
        supplied=frozenset({"SecretId"}),
        # Terraform's 0 deletes at once, without a window.
        unset={"recovery_window_in_days": 0},
    ),
    "aws_security_group": Mapping("ec2", ("CreateSecurityGroup",), renames={"name": "GroupName"}),
    "aws_sesv2_configuration_set": Mapping("sesv2", ("CreateConfigurationSet",)),
    "aws_sfn_state_machine": Mapping(
        "stepfunctions",
        ("CreateStateMachine",),
        renames={
            "logging_configuration.log_destination": "destinations.cloudWatchLogsLogGroup.logGroupArn",
        },
    ),
    "aws_sns_topic": Mapping(
        "sns", ("CreateTopic",), renames={"kms_master_key_id": "Attributes.KmsMasterKeyId"}
    ),
    "aws_sns_topic_policy": Mapping(
        "sns",
        ("SetTopicAttributes",),
        renames={"arn": "TopicArn", "policy": "AttributeValue"},
        supplied=frozenset({"AttributeName"}),
    ),
    "aws_sns_topic_subscription": Mapping("sns", ("Subscribe",)),
    "aws_sqs_queue": Mapping(
        "sqs",
        ("CreateQueue",),
        renames={
            "kms_data_key_reuse_period_seconds": "Attributes.KmsDataKeyReusePeriodSeconds",
            "kms_master_key_id": "Attributes.KmsMasterKeyId",
            "message_retention_seconds": "Attributes.MessageRetentionPeriod",
            "name": "QueueName",
            "policy": "Attributes.Policy",
            "visibility_timeout_seconds": "Attributes.VisibilityTimeout",
        },
    ),
    "aws_sqs_queue_policy": Mapping("sqs", ("SetQueueAttributes",), renames={"policy": "Attributes.Policy"}),
    "aws_subnet": Mapping("ec2", ("CreateSubnet",), renames={"tags": "TagSpecifications.Tags"}),
    "aws_vpc": Mapping(
        "ec2",
        ("CreateVpc", "ModifyVpcAttribute"),
        renames={
            "enable_dns_hostnames": "ModifyVpcAttribute#EnableDnsHostnames.Value",
            "enable_dns_support": "ModifyVpcAttribute#EnableDnsSupport.Value",
            "tags": "TagSpecifications.Tags",
        },
        supplied=frozenset({"VpcId"}),
    ),
    "aws_vpc_endpoint": Mapping(
        "ec2",
        ("CreateVpcEndpoint",),
        renames={"policy": "PolicyDocument", "tags": "TagSpecifications.Tags"},
    ),
    "aws_vpc_security_group_egress_rule": Mapping(
        "ec2",
        ("AuthorizeSecurityGroupEgress",),
        renames={
            "cidr_ipv4": "IpPermissions.IpRanges.CidrIp",
            "description": "IpPermissions.IpRanges.Description",
            "prefix_list_id": "IpPermissions.PrefixListIds.PrefixListId",
            "referenced_security_group_id": "IpPermissions.UserIdGroupPairs.GroupId",
            "security_group_id": "GroupId",
        },
    ),
    "aws_vpc_security_group_ingress_rule": Mapping(
        "ec2",
        ("AuthorizeSecurityGroupIngress",),
        renames={
            "cidr_ipv4": "IpPermissions.IpRanges.CidrIp",
            "description": "IpPermissions.IpRanges.Description",
            "prefix_list_id": "IpPermissions.PrefixListIds.PrefixListId",
            "referenced_security_group_id": "IpPermissions.UserIdGroupPairs.GroupId",
            "security_group_id": "GroupId",
        },
    ),
    "aws_wafv2_web_acl": Mapping("wafv2", ("CreateWebACL",)),
    "aws_wafv2_web_acl_association": Mapping("wafv2", ("AssociateWebACL",)),
    "aws_wafv2_web_acl_logging_configuration": Mapping(
        "wafv2",
        ("PutLoggingConfiguration",),
        renames={
            "log_destination_configs": "LoggingConfiguration.LogDestinationConfigs",
            "logging_filter": "LoggingConfiguration.LoggingFilter",
            "redacted_fields": "LoggingConfiguration.RedactedFields",
            "resource_arn": "LoggingConfiguration.ResourceArn",
        },
    ),
    "aws_xray_sampling_rule": Mapping(
        "xray",
        ("CreateSamplingRule",),
        renames={
            "fixed_rate": "SamplingRule.FixedRate",
            "host": "SamplingRule.Host",
            "http_method": "SamplingRule.HTTPMethod",
            "priority": "SamplingRule.Priority",
            "reservoir_size": "SamplingRule.ReservoirSize",
            "resource_arn": "SamplingRule.ResourceARN",
            "rule_name": "SamplingRule.RuleName",
            "service_name": "SamplingRule.ServiceName",
            "service_type": "SamplingRule.ServiceType",
            "url_path": "SamplingRule.URLPath",
            "version": "SamplingRule.Version",
        },
    ),
    # Resources of CloudFormation's templates: their properties are the members of the call.
    "AWS::Cognito::ManagedLoginBranding": Mapping("cognito-idp", ("CreateManagedLoginBranding",)),
    "AWS::QuickSight::Dashboard": Mapping("quicksight", ("CreateDashboard",)),
    "AWS::QuickSight::DataSet": Mapping("quicksight", ("CreateDataSet",)),
    "AWS::QuickSight::DataSource": Mapping("quicksight", ("CreateDataSource",)),
}

NOT_MAPPED = {
    "aws_default_security_group": "the provider adopts the group that AWS makes with each VPC, without rules",
}
