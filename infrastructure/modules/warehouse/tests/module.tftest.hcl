mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account         = { id = "111122223333", partition = "aws", region = "eu-west-1" }
  enriched_stream = { arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/enriched", name = "enriched" }

  lake = {
    arn      = "arn:aws:s3:::lake"
    database = "demo_test"
    tables   = { gold = ["daily", "revenue"], silver = ["events"] }
  }

  network = {
    cidr_block                = "10.42.0.0/20"
    client_security_group_ids = { dashboards = "sg-1" }
    s3_prefix_list_id         = "pl-1"
    subnet_ids                = ["subnet-1", "subnet-2", "subnet-3"]
    vpc_id                    = "vpc-1"
  }

  settings = {
    alerts_topic_arn = "arn:aws:sns:eu-west-1:111122223333:alerts"

    kms_key_arns = {
      credentials = "arn:aws:kms:eu-west-1:111122223333:key/credentials"
      events      = "arn:aws:kms:eu-west-1:111122223333:key/events"
      operations  = "arn:aws:kms:eu-west-1:111122223333:key/operations"
    }

    layer_arns         = []
    log_level          = "INFO"
    log_retention_days = 30
    name_prefix        = "demo-test"
    packages_bucket    = "demo-test-lake"
    packages_directory = "../../testing/packages"
    tracing            = false
  }
}

run "resources" {
  command = plan

  assert {
    condition = (
      aws_redshiftserverless_namespace.this.manage_admin_password
      && aws_redshiftserverless_namespace.this.admin_user_password == null
      && aws_redshiftserverless_namespace.this.admin_password_secret_kms_key_id == var.settings.kms_key_arns.credentials
      && aws_redshiftserverless_namespace.this.kms_key_id == var.settings.kms_key_arns.events
    )
    error_message = "Redshift keeps the password; data and secret have our key."
  }

  assert {
    condition = (
      aws_redshiftserverless_namespace.this.log_exports == toset(["connectionlog", "useractivitylog", "userlog"])
    )
    error_message = "Connections, users and their statements are logged."
  }

  assert {
    condition = {
      for name, log in aws_cloudwatch_log_group.audit : log.name => [log.kms_key_id, log.retention_in_days]
      } == {
      for name in aws_redshiftserverless_namespace.this.log_exports :
      "/aws/redshift/demo-test-warehouse/${name}" => [var.settings.kms_key_arns.operations, 30]
    }
    error_message = "Redshift makes a log group without key and end for each log that has none."
  }

  assert {
    condition = (
      !aws_redshiftserverless_workgroup.this.publicly_accessible
      && aws_redshiftserverless_workgroup.this.enhanced_vpc_routing
      && aws_redshiftserverless_workgroup.this.subnet_ids == toset(var.network.subnet_ids)
      && aws_redshiftserverless_workgroup.this.security_group_ids == toset([aws_security_group.this.id])
    )
    error_message = "The workgroup is private, and so is its traffic."
  }

  assert {
    condition = (
      aws_redshiftserverless_workgroup.this.base_capacity == 8
      && aws_redshiftserverless_workgroup.this.max_capacity == 32
    )
    error_message = "It begins small and is bounded."
  }

  assert {
    condition = toset([
      for parameter in aws_redshiftserverless_workgroup.this.config_parameter :
      "${parameter.parameter_key}=${parameter.parameter_value}"
    ]) == toset(["enable_user_activity_logging=true", "max_query_execution_time=900", "require_ssl=true"])
    error_message = "TLS is required, statements are logged, and none runs for ever."
  }

  assert {
    condition = (
      aws_redshiftserverless_usage_limit.this.amount == 300
      && aws_redshiftserverless_usage_limit.this.period == "daily"
      && aws_redshiftserverless_usage_limit.this.breach_action == "deactivate"
      && aws_redshiftserverless_usage_limit.this.usage_type == "serverless-compute"
    )
    error_message = "A day's bill is bounded."
  }

  assert {
    condition = {
      for name, rule in aws_vpc_security_group_ingress_rule.clients :
      name => "${rule.referenced_security_group_id} ${rule.from_port}-${rule.to_port} ${coalesce(rule.cidr_ipv4, "-")}"
    } == { dashboards = "sg-1 5439-5439 -" }
    error_message = "Only the groups named may connect."
  }

  assert {
    condition = (
      aws_vpc_security_group_egress_rule.endpoints.cidr_ipv4 == "10.42.0.0/20"
      && aws_vpc_security_group_egress_rule.endpoints.from_port == 443
      && aws_vpc_security_group_egress_rule.lake.prefix_list_id == "pl-1"
      && aws_vpc_security_group_egress_rule.lake.from_port == 443
    )
    error_message = "It reaches the VPC's endpoints and S3, and nothing else."
  }

  assert {
    condition = {
      for statement in jsondecode(module.redshift_role["streaming"].policy).Statement :
      statement.Sid => [statement.Action, statement.Resource]
      } == {
      Decrypt    = [["kms:Decrypt"], [var.settings.kms_key_arns.events]]
      FindStream = [["kinesis:ListStreams"], ["*"]]
      ReadStream = [
        [
          "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator",
          "kinesis:ListShards",
        ],
        [var.enriched_stream.arn],
      ]
    }
    error_message = "The streaming role reads the enriched stream, and no more."
  }

  assert {
    condition = {
      for statement in jsondecode(module.redshift_role["gold"].policy).Statement :
      statement.Sid => [statement.Action, statement.Resource]
      } == {
      Decrypt  = [["kms:Decrypt"], [var.settings.kms_key_arns.events]]
      ListLake = [["s3:GetBucketLocation", "s3:ListBucket"], ["arn:aws:s3:::lake"]]
      ReadCatalog = [["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"], [
        "arn:aws:glue:eu-west-1:111122223333:catalog",
        "arn:aws:glue:eu-west-1:111122223333:database/demo_test",
        "arn:aws:glue:eu-west-1:111122223333:table/demo_test/daily",
        "arn:aws:glue:eu-west-1:111122223333:table/demo_test/revenue",
      ]]
      ReadLake = [["s3:GetObject"], ["arn:aws:s3:::lake/gold/*"]]
    }
    error_message = "The role of the schema gold must read gold and nothing else."
  }

  assert {
    condition = {
      for statement in jsondecode(module.redshift_role["silver"].policy).Statement :
      statement.Sid => [statement.Action, statement.Resource]
      } == {
      Decrypt  = [["kms:Decrypt"], [var.settings.kms_key_arns.events]]
      ListLake = [["s3:GetBucketLocation", "s3:ListBucket"], ["arn:aws:s3:::lake"]]
      ReadCatalog = [["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"], [
        "arn:aws:glue:eu-west-1:111122223333:catalog",
        "arn:aws:glue:eu-west-1:111122223333:database/demo_test",
        "arn:aws:glue:eu-west-1:111122223333:table/demo_test/events",
      ]]
      ReadLake = [["s3:GetObject"], ["arn:aws:s3:::lake/silver/*"]]
    }
    error_message = "The role of the schema silver must read silver and nothing else."
  }

  assert {
    condition = (
      aws_redshiftserverless_namespace.this.iam_roles == toset([for role in module.redshift_role : role.arn])
      && toset(keys(module.redshift_role)) == toset(["gold", "silver", "streaming"])
    )
    error_message = "Redshift assumes a role only if its namespace lists it."
  }

  assert {
    condition = alltrue([
      for role in module.redshift_role :
      [for statement in jsondecode(role.trust).Statement : [statement.Principal, try(statement.Condition, null)]] == [
        [{ Service = ["redshift-serverless.amazonaws.com", "redshift.amazonaws.com"] }, null],
      ]
    ])
    error_message = "Redshift takes its roles, on no condition that AWS does not document for it."
  }

  assert {
    condition = {
      for statement in jsondecode(module.function.policy).Statement :
      statement.Sid => [statement.Action, statement.Resource]
      if !contains(["DecryptAtRest", "WriteLogs"], statement.Sid)
      } == {
      DecryptSecret = [["kms:Decrypt"], [var.settings.kms_key_arns.credentials]]
      Encrypt       = [["kms:GenerateDataKey"], [var.settings.kms_key_arns.operations]]
      EncryptStatements = [
        ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
        [var.settings.kms_key_arns.events],
      ]
      FollowStatements = [
        ["redshift-data:DescribeStatement", "redshift-data:GetStatementResult", "redshift-data:ListStatements"],
        ["*"],
      ]
      ReadSecret = [
        ["secretsmanager:GetSecretValue"],
        [aws_redshiftserverless_namespace.this.admin_password_secret_arn],
      ]
      ReportFailures = [["sqs:SendMessage"], [module.failures.arn]]
      RunStatements = [
        ["redshift-data:BatchExecuteStatement", "redshift-data:ExecuteStatement"],
        [aws_redshiftserverless_workgroup.this.arn],
      ]
    }
    error_message = "The function runs statements in this workgroup, and no more."
  }

  assert {
    condition = [
      for statement in jsondecode(module.function.policy).Statement : statement.Condition
      if statement.Sid == "FollowStatements"
    ] == [{ StringEquals = { "redshift-data:statement-owner-iam-userid" = ["$${aws:userid}"] } }]
    error_message = "The function follows its own statements, and no others."
  }

  assert {
    condition = {
      for statement in jsondecode(module.schedule_role.policy).Statement :
      statement.Sid => [statement.Action, statement.Resource]
      } == {
      Encrypt        = [["kms:Decrypt", "kms:GenerateDataKey"], [var.settings.kms_key_arns.operations]]
      Refresh        = [["lambda:InvokeFunction"], [module.function.arn]]
      ReportFailures = [["sqs:SendMessage"], [module.failures.arn]]
      Snapshot = [
        ["redshift-serverless:CreateSnapshot"],
        [
          aws_redshiftserverless_namespace.this.arn,
          "arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/*",
        ],
      ]
    }
    error_message = "The schedules refresh and keep snapshots, and no more."
  }

  assert {
    condition = [
      for statement in jsondecode(module.schedule_role.trust).Statement : [statement.Principal, statement.Condition]
      ] == [
      [{ Service = ["scheduler.amazonaws.com"] }, { StringEquals = { "aws:SourceAccount" = "111122223333" } }],
    ]
    error_message = "Schedules of this account alone take the role."
  }

  assert {
    condition = jsondecode(module.function.environment["VALUES"]) == {
      glue_database      = "demo_test"
      gold_role_arn      = module.redshift_role["gold"].arn
      region             = "eu-west-1"
      silver_role_arn    = module.redshift_role["silver"].arn
      stream_name        = "enriched"
      streaming_role_arn = module.redshift_role["streaming"].arn
    }
    error_message = "The migrations must be given each value they name."
  }

  assert {
    condition = (
      jsondecode(aws_lambda_invocation.migrate.input) == { action = "migrate" }
      && aws_lambda_invocation.migrate.function_name == module.function.name
      && (
        aws_lambda_invocation.migrate.triggers["package"]
        == filebase64sha256("../../testing/packages/warehouse.zip")
      )
    )
    error_message = "A package that changes must be applied."
  }

  assert {
    condition = (
      aws_scheduler_schedule.refresh.schedule_expression == "rate(15 minutes)"
      && aws_scheduler_schedule.refresh.state == "ENABLED"
      && aws_scheduler_schedule.refresh.target[0].input == "{\"action\":\"refresh\"}"
      && aws_scheduler_schedule.refresh.target[0].arn == module.function.arn
    )
    error_message = "Facts are brought up to date every quarter of an hour."
  }

  assert {
    condition = aws_scheduler_schedule.snapshot.target[0].input == join(",", [
      "{\"NamespaceName\":\"demo-test-warehouse\"",
      "\"RetentionPeriod\":14",
      "\"SnapshotName\":\"demo-test-warehouse-<aws.scheduler.execution-id>\"}",
    ])
    error_message = "Each day's snapshot has a name of its own and stays for two weeks."
  }

  assert {
    condition = alltrue([
      for schedule in [aws_scheduler_schedule.refresh, aws_scheduler_schedule.snapshot] :
      schedule.target[0].dead_letter_config[0].arn == module.failures.arn
    ])
    error_message = "What cannot be started goes to the queue."
  }

  assert {
    condition = (
      aws_lambda_function_event_invoke_config.this.destination_config[0].on_failure[0].destination
      == module.failures.arn
    )
    error_message = "A refresh that failed three times goes to the queue."
  }

  assert {
    condition = aws_cloudwatch_metric_alarm.usage.threshold == 240 && strcontains(
      tolist(aws_cloudwatch_metric_alarm.usage.metric_query)[0].expression, "WHERE Workgroup = 'demo-test-warehouse'"
    )
    error_message = "The day's RPU-hours are watched before they are spent."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.refresh.dimensions == tomap({ FunctionName = module.function.name })
      && aws_cloudwatch_metric_alarm.refresh.alarm_actions == toset([var.settings.alerts_topic_arn])
    )
    error_message = "A refresh that fails is told."
  }
}

run "client_with_an_apostrophe" {
  command = plan

  variables {
    network = {
      cidr_block                = "10.42.0.0/20"
      client_security_group_ids = { "Ada's notebook" = "sg-1" }
      s3_prefix_list_id         = "pl-1"
      subnet_ids                = ["subnet-1", "subnet-2", "subnet-3"]
      vpc_id                    = "vpc-1"
    }
  }

  assert {
    condition = alltrue([
      for description in concat(
        [aws_security_group.this.description],
        [aws_vpc_security_group_egress_rule.endpoints.description, aws_vpc_security_group_egress_rule.lake.description],
        [for rule in aws_vpc_security_group_ingress_rule.clients : rule.description],
      ) : can(regex("^[a-zA-Z0-9. _:/()#,@\\[\\]+=&;{}!$*-]{0,255}$", description))
    ])
    error_message = "EC2 takes no other characters in descriptions, whatever a client is called."
  }
}

run "paused" {
  command = plan

  variables {
    refresh = { enabled = false, minutes = 60 }
  }

  assert {
    condition = (
      aws_scheduler_schedule.refresh.state == "DISABLED"
      && aws_scheduler_schedule.refresh.schedule_expression == "rate(60 minutes)"
    )
    error_message = "The refresh can rest."
  }
}

run "migration_still_running" {
  command         = plan
  expect_failures = [aws_lambda_invocation.migrate]

  override_resource {
    override_during = plan
    target          = aws_lambda_invocation.migrate
    values          = { result = "{\"state\":\"running\"}" }
  }
}

run "odd_base_capacity" {
  command         = plan
  expect_failures = [var.capacity]

  variables {
    capacity = { base_rpu = 12 }
  }
}

run "most_below_base" {
  command         = plan
  expect_failures = [var.capacity]

  variables {
    capacity = { base_rpu = 64, max_rpu = 32 }
  }
}

run "endless_queries" {
  command         = plan
  expect_failures = [var.max_query_seconds]

  variables {
    max_query_seconds = 0
  }
}

run "two_zones" {
  command         = plan
  expect_failures = [var.network]

  variables {
    network = {
      cidr_block        = "10.42.0.0/20"
      s3_prefix_list_id = "pl-1"
      subnet_ids        = ["subnet-1", "subnet-2"]
      vpc_id            = "vpc-1"
    }
  }
}

run "restless" {
  command         = plan
  expect_failures = [var.refresh]

  variables {
    refresh = { minutes = 1 }
  }
}

run "snapshots_for_no_day" {
  command         = plan
  expect_failures = [var.snapshot_days]

  variables {
    snapshot_days = 0
  }
}

run "unknown_breach_action" {
  command         = plan
  expect_failures = [var.usage_limit]

  variables {
    usage_limit = { breach_action = "ignore" }
  }
}

run "limit_of_nothing" {
  command         = plan
  expect_failures = [var.usage_limit]

  variables {
    usage_limit = { rpu_hours_a_day = 0 }
  }
}
