mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account             = { id = "111122223333", partition = "aws", region = "eu-west-1" }
  code_bucket         = { arn = "arn:aws:s3:::lake", name = "lake" }
  enriched_stream_arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/enriched"
  protection          = { deletion = true, point_in_time_recovery = true }
}

run "resources" {
  command = plan

  assert {
    condition = output.table.name == "demo-test-realtime" && (
      module.realtime.configuration.hash_key == "series" && module.realtime.configuration.range_key == "window"
    )
    error_message = "Windows are kept by series and window."
  }

  assert {
    condition = (
      module.realtime.configuration.expires
      && module.realtime.configuration.deletion_protection && module.realtime.configuration.point_in_time_recovery
      && module.realtime.configuration.kms_key_arn == var.settings.kms_key_arns.operations
    )
    error_message = "The table must expire items, be protected, and be encrypted with the platform's key."
  }

  assert {
    condition = (
      output.metrics_stream.name == "demo-test-metrics"
      && aws_kinesis_stream.metrics.stream_mode_details[0].stream_mode == "PROVISIONED"
      && aws_kinesis_stream.metrics.shard_count == 1
      && aws_kinesis_stream.metrics.retention_period == 24
      && aws_kinesis_stream.metrics.kms_key_id == var.settings.kms_key_arns.events
    )
    error_message = "The stream must be small, keep a day, and be encrypted with the platform's key."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(module.realtime_windows.policy).Statement :
        statement.Sid => [statement.Action, statement.Resource]
        if contains(["KeepWindows", "PutAlerts", "RememberAlerts"], statement.Sid)
      } ==
      {
        KeepWindows    = [["dynamodb:BatchWriteItem"], [output.table.arn]]
        PutAlerts      = [["events:PutEvents"], ["arn:aws:events:eu-west-1:111122223333:event-bus/default"]]
        RememberAlerts = [["dynamodb:UpdateItem"], [output.table.arn]]
      }
    )
    error_message = "The function writes windows, puts alerts on the bus, remembers those, and nothing else."
  }

  assert {
    condition = (
      aws_kinesisanalyticsv2_application.this.name == "demo-test-realtime-analytics"
      && aws_kinesisanalyticsv2_application.this.runtime_environment == "FLINK-1_20"
      && aws_kinesisanalyticsv2_application.this.start_application
      && aws_kinesisanalyticsv2_application.this.service_execution_role == module.application_role.arn
    )
    error_message = "Apply must start a Flink 1.20 application with its role."
  }

  assert {
    condition = (
      aws_kinesisanalyticsv2_application.this.application_configuration[0].application_code_configuration[0].code_content[0].s3_content_location[0] ==
      {
        bucket_arn     = "arn:aws:s3:::lake"
        file_key       = "artifacts/realtime_analytics.zip"
        object_version = aws_s3_object.package.version_id
      }
    )
    error_message = "The application must name the package's version, so that a new one redeploys."
  }

  assert {
    condition = (
      aws_s3_object.package.kms_key_id == var.settings.kms_key_arns.events
      && aws_s3_object.package.source_hash == filebase64sha256("../../testing/packages/realtime_analytics.zip")
    )
    error_message = "The package must be encrypted, and uploaded again when its bytes change."
  }

  assert {
    condition = (
      {
        for group in aws_kinesisanalyticsv2_application.this.application_configuration[0].environment_properties[0].property_group :
        group.property_group_id => group.property_map
      } ==
      { for group in output.application_properties : group.PropertyGroupId => tomap(group.PropertyMap) }
    )
    error_message = "Elsewhere the job must run with the application's own properties."
  }

  assert {
    condition = { for group in output.application_properties : group.PropertyGroupId => tomap(group.PropertyMap) } == {
      "kinesis.analytics.flink.run.options" = tomap({ jarfile = "lib/connectors.jar", python = "main.py" })
      alerts = tomap({
        "baseline.minutes"          = "30"
        "crash.minimum"             = "10"
        "crash.spike.factor"        = "3"
        "economy.inflation.ratio"   = "3"
        "economy.minimum"           = "1000"
        "players.drop.percent"      = "50"
        "players.minimum"           = "20"
        "revenue.minimum.purchases" = "40"
        "window.minutes"            = "5"
      })
      names = tomap({ items = "50", versions = "20" })
      streams = tomap({
        "enriched.arn"     = var.enriched_stream_arn
        "initial.position" = "LATEST"
        "metrics.arn"      = aws_kinesis_stream.metrics.arn
        region             = "eu-west-1"
      })
      windows = tomap({ "allowed.lateness.seconds" = "60", "idle.timeout.seconds" = "30" })
    }
    error_message = "The application must be told its streams, windows and thresholds."
  }

  assert {
    condition = (
      aws_kinesisanalyticsv2_application.this.application_configuration[0].application_snapshot_configuration[0].snapshots_enabled
      && aws_kinesisanalyticsv2_application.this.application_configuration[0].run_configuration[0].application_restore_configuration[0].application_restore_type ==
      "RESTORE_FROM_LATEST_SNAPSHOT"
      && !aws_kinesisanalyticsv2_application.this.application_configuration[0].run_configuration[0].flink_run_configuration[0].allow_non_restored_state
    )
    error_message = "It must go on from its last snapshot, and lose no state in silence."
  }

  assert {
    condition = (
      aws_kinesisanalyticsv2_application.this.application_configuration[0].flink_application_configuration[0].checkpoint_configuration[0].checkpoint_interval ==
      60000
      && aws_kinesisanalyticsv2_application.this.application_configuration[0].flink_application_configuration[0].checkpoint_configuration[0].checkpointing_enabled
      && aws_kinesisanalyticsv2_application.this.application_configuration[0].flink_application_configuration[0].parallelism_configuration[0].auto_scaling_enabled
      && aws_kinesisanalyticsv2_application.this.application_configuration[0].flink_application_configuration[0].monitoring_configuration[0].metrics_level ==
      "APPLICATION"
      && aws_kinesisanalyticsv2_application.this.application_configuration[0].flink_application_configuration[0].monitoring_configuration[0].log_level ==
      "INFO"
    )
    error_message = "It must checkpoint each minute, scale, and report."
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.application.kms_key_id == var.settings.kms_key_arns.operations
      && aws_cloudwatch_log_group.application.retention_in_days == 30
      && aws_kinesisanalyticsv2_application.this.cloudwatch_logging_options[0].log_stream_arn ==
      aws_cloudwatch_log_stream.application.arn
    )
    error_message = "Its logs must be encrypted and expire."
  }

  assert {
    condition     = length(aws_kinesisanalyticsv2_application.this.application_configuration[0].vpc_configuration) == 0
    error_message = "It runs in a network of its own only where one is given."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(module.application_role.policy).Statement :
        statement.Sid => [statement.Action, statement.Resource]
      } ==
      {
        Decrypt        = [["kms:Decrypt", "kms:GenerateDataKey"], [var.settings.kms_key_arns.events]]
        FindLogGroup   = [["logs:DescribeLogGroups"], ["*"]]
        FindLogStream  = [["logs:DescribeLogStreams"], ["${aws_cloudwatch_log_group.application.arn}:*"]]
        PublishMetrics = [["kinesis:PutRecords"], [aws_kinesis_stream.metrics.arn]]
        ReadCode = [
          ["s3:GetObject", "s3:GetObjectVersion"],
          ["arn:aws:s3:::lake/artifacts/realtime_analytics.zip"],
        ]
        ReadStream = [
          ["kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"],
          [var.enriched_stream_arn],
        ]
        WriteLogs = [["logs:PutLogEvents"], [aws_cloudwatch_log_stream.application.arn]]
      }
    )
    error_message = "The application must have these actions on these resources and no others."
  }

  assert {
    condition = jsondecode(module.application_role.trust).Statement == [{
      Effect    = "Allow"
      Principal = { Service = ["kinesisanalytics.amazonaws.com"] }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
    }]
    error_message = "Only Managed Flink, for this account, may assume the role."
  }

  assert {
    condition = jsonencode(jsondecode(aws_cloudwatch_event_rule.alerts.event_pattern)) == jsonencode({
      detail-type = ["Player analytics alert"]
      source      = [module.realtime_windows.environment["ALERTS_SOURCE"]]
    })
    error_message = "The rule must match what the function sends."
  }

  assert {
    condition = (
      aws_cloudwatch_event_target.topic.arn == var.settings.alerts_topic_arn
      && jsondecode(aws_cloudwatch_event_target.topic.input_transformer[0].input_template) ==
      "<message> What to do: docs/runbooks/realtime-analytics.md"
      && toset(regexall("<([a-z]+)>", aws_cloudwatch_event_target.topic.input_transformer[0].input_template)[*][0]) ==
      toset(keys(aws_cloudwatch_event_target.topic.input_transformer[0].input_paths))
    )
    error_message = "The topic must get a sentence whose words the alert has."
  }

  assert {
    condition     = aws_sqs_queue.undelivered_alerts.kms_master_key_id == var.settings.kms_key_arns.operations
    error_message = "What cannot be delivered must wait, encrypted."
  }

  assert {
    condition = (
      one(aws_cloudwatch_event_target.topic.dead_letter_config).arn == aws_sqs_queue.undelivered_alerts.arn
      && jsonencode(jsondecode(aws_sqs_queue_policy.undelivered_alerts.policy).Statement) == jsonencode([{
        Sid       = "RuleOfAlerts"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.undelivered_alerts.arn
        Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.alerts.arn } }
      }])
    )
    error_message = "What the rule cannot publish must wait in the queue, which takes it from this rule only."
  }

  assert {
    condition = toset([
      for query in aws_cloudwatch_metric_alarm.failed_alert_rule.metric_query : one(query.metric).metric_name
      if query.return_data != true
    ]) == toset(["FailedInvocations", "InvocationsFailedToBeSentToDlq"])
    error_message = "A rule that cannot publish must be noticed."
  }

  assert {
    condition = (
      {
        for name, alarm in aws_cloudwatch_metric_alarm.gauges :
        name => [alarm.namespace, alarm.metric_name, alarm.dimensions["Application"]]
      } ==
      {
        checkpoint_duration = ["AWS/KinesisAnalytics", "lastCheckpointDuration", "demo-test-realtime-analytics"]
        cpu                 = ["AWS/KinesisAnalytics", "cpuUtilization", "demo-test-realtime-analytics"]
        downtime            = ["AWS/KinesisAnalytics", "downtime", "demo-test-realtime-analytics"]
      }
    )
    error_message = "Each alarm must watch its metric of this application."
  }

  assert {
    condition = (
      {
        for name, alarm in aws_cloudwatch_metric_alarm.counters :
        name => concat(
          [for query in alarm.metric_query : query.expression if query.return_data == true],
          flatten([
            for query in alarm.metric_query :
            [
              for metric in query.metric :
              [query.id, metric.namespace, metric.metric_name, metric.dimensions["Application"]]
            ]
          ])
        )
      } ==
      {
        failed_checkpoints = [
          "DIFF(total)",
          "total",
          "AWS/KinesisAnalytics",
          "numberOfFailedCheckpoints",
          "demo-test-realtime-analytics",
        ]
        restarts = [
          "DIFF(total)",
          "total",
          "AWS/KinesisAnalytics",
          "fullRestarts",
          "demo-test-realtime-analytics",
        ]
      }
    )
    error_message = "Counters must alarm by their rise."
  }

  assert {
    condition = toset([
      for query in aws_cloudwatch_metric_alarm.dropped_events.metric_query : join(" ", concat(
        [query.id], [for expression in [query.expression] : expression if query.return_data == true],
        flatten([
          for metric in query.metric : [metric.namespace, metric.metric_name, metric.dimensions["service"]]
        ]),
      ))
      ]) == toset([
      "counted demo-test EventsCounted realtime_windows", "dropped demo-test EventsDropped realtime_windows",
      "share 100 * dropped / (dropped + counted)",
    ])
    error_message = "Drops must alarm by their share of all events."
  }

  assert {
    condition = (
      one(aws_cloudwatch_metric_alarm.behind.metric_query).expression ==
      "SELECT MAX(millisBehindLatest) FROM \"AWS/KinesisAnalytics\" WHERE Application = 'demo-test-realtime-analytics'"
    )
    error_message = "The lag must be the worst of this application's shards."
  }

  assert {
    condition = alltrue([
      for alarm in concat(
        values(aws_cloudwatch_metric_alarm.counters),
        values(aws_cloudwatch_metric_alarm.gauges),
        [
          aws_cloudwatch_metric_alarm.behind, aws_cloudwatch_metric_alarm.dropped_events,
          aws_cloudwatch_metric_alarm.failed_alert_rule, aws_cloudwatch_metric_alarm.undelivered_alerts,
        ]
      ) :
      alarm.alarm_actions == toset([var.settings.alerts_topic_arn])
      && endswith(alarm.alarm_description, ": docs/runbooks/realtime-analytics.md")
    ])
    error_message = "Each alarm must report, and name its runbook."
  }

  assert {
    condition = (
      { for name, alarm in aws_cloudwatch_metric_alarm.gauges : name => alarm.treat_missing_data } ==
      { checkpoint_duration = "notBreaching", cpu = "notBreaching", downtime = "breaching" }
    )
    error_message = "An application that reports nothing is down."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.undelivered_alerts.dimensions == tomap({ QueueName = "demo-test-undelivered-alerts" })
    )
    error_message = "Undelivered alerts must be noticed."
  }
}

run "page" {
  command = plan

  variables {
    page_url = "https://metrics.example.com"
  }

  assert {
    condition     = module.realtime_windows.environment["PAGE_URL"] == "https://metrics.example.com"
    error_message = "Messages must link to the page."
  }
}

run "page_with_a_path" {
  command = plan

  variables {
    page_url = "https://metrics.example.com/?game=a"
  }

  expect_failures = [var.page_url]
}

run "no_delivery" {
  command = plan

  variables {
    deliver_alerts = false
  }

  assert {
    condition = (
      module.realtime_windows.environment["ALERTS_SOURCE"] == ""
      && length([
        for statement in jsondecode(module.realtime_windows.policy).Statement :
        statement
        if statement.Sid == "PutAlerts"
      ]) ==
      0
    )
    error_message = "Without delivery the function must not reach the bus."
  }
}

run "values" {
  command = plan

  variables {
    alert_thresholds = { window_minutes = 10 }
    application      = { initial_position = "TRIM_HORIZON", parallelism = 4, parallelism_per_kpu = 2, start = false }
    metrics_stream   = { shards = 2 }
    retention_hours  = 24
    windows          = { allowed_lateness_seconds = 10 }
  }

  assert {
    condition = (
      length(aws_kinesisanalyticsv2_application.this.application_configuration[0].run_configuration) == 0
      && !aws_kinesisanalyticsv2_application.this.start_application
    )
    error_message = "An application that is not started restores nothing."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.gauges["downtime"].treat_missing_data == "notBreaching"
    error_message = "One that is not to run is silent by right."
  }

  assert {
    condition = (
      aws_kinesisanalyticsv2_application.this.application_configuration[0].flink_application_configuration[0].parallelism_configuration[0].parallelism ==
      4
      && aws_kinesisanalyticsv2_application.this.application_configuration[0].flink_application_configuration[0].parallelism_configuration[0].parallelism_per_kpu ==
      2
      && aws_kinesis_stream.metrics.shard_count == 2
    )
    error_message = "Sizes come by value."
  }

  assert {
    condition = (
      [
        for group, name in {
          alerts  = "window.minutes"
          streams = "initial.position"
          windows = "allowed.lateness.seconds"
        } :
        {
          for properties in output.application_properties : properties.PropertyGroupId => properties.PropertyMap
        }[group][name]
      ] ==
      ["10", "TRIM_HORIZON", "10"]
    )
    error_message = "Properties come by value, the others keep their defaults."
  }
}

run "in_a_network" {
  command = plan

  variables {
    vpc = { security_group_ids = ["sg-1"], subnet_ids = ["subnet-1", "subnet-2"] }
  }

  assert {
    condition = (
      aws_kinesisanalyticsv2_application.this.application_configuration[0].vpc_configuration[0].subnet_ids ==
      toset(["subnet-1", "subnet-2"])
      && aws_kinesisanalyticsv2_application.this.application_configuration[0].vpc_configuration[0].security_group_ids ==
      toset(["sg-1"])
    )
    error_message = "The application must run in the network given."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(module.application_role.policy).Statement :
        statement.Sid => [statement.Action, statement.Resource]
        if contains(["AttachToSubnets", "DescribeNetwork", "KeepInterfaces"], statement.Sid)
      } ==
      {
        AttachToSubnets = [
          ["ec2:CreateNetworkInterface"],
          [
            "arn:aws:ec2:eu-west-1:111122223333:network-interface/*",
            "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-1", "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-2",
            "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1",
          ],
        ]
        DescribeNetwork = [
          [
            "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets", "ec2:DescribeVpcs",
          ],
          ["*"],
        ]
        KeepInterfaces = [
          ["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"],
          ["arn:aws:ec2:eu-west-1:111122223333:network-interface/*"],
        ]
      }
    )
    error_message = "In a network the role may keep interfaces there, and no more."
  }
}

run "stopped" {
  command         = plan
  expect_failures = [check.application_runs]

  override_resource {
    target          = aws_kinesisanalyticsv2_application.this
    override_during = plan
    values          = { status = "READY" }
  }
}

run "baseline_within_window" {
  command         = plan
  expect_failures = [var.alert_thresholds]

  variables {
    alert_thresholds = { baseline_minutes = 5, window_minutes = 5 }
  }
}

run "name_limits" {
  command = plan

  variables {
    name_limits = { versions = 100 }
  }

  assert {
    condition = {
      for group in output.application_properties : group.PropertyGroupId => tomap(group.PropertyMap)
    }.names == tomap({ items = "50", versions = "100" })
    error_message = "The application must be told the limits of names."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.names_capped.metric_name == "MinutesCapped"
      && aws_cloudwatch_metric_alarm.names_capped.dimensions == tomap({ service = "realtime_windows" })
      && aws_cloudwatch_metric_alarm.names_capped.threshold == 0
      && aws_cloudwatch_metric_alarm.names_capped.period == 300
      && aws_cloudwatch_metric_alarm.names_capped.evaluation_periods == 3
    )
    error_message = "The alarm must ring when names are counted as `other` for 15 minutes."
  }
}

run "no_versions" {
  command = plan

  variables {
    name_limits = { versions = 0 }
  }

  expect_failures = [var.name_limits]
}

run "half_an_item" {
  command = plan

  variables {
    name_limits = { items = 1.5 }
  }

  expect_failures = [var.name_limits]
}

run "too_many_items" {
  command = plan

  variables {
    name_limits = { items = 101 }
  }

  expect_failures = [var.name_limits]
}

run "too_many_versions" {
  command = plan

  variables {
    name_limits = { versions = 101 }
  }

  expect_failures = [var.name_limits]
}

run "drop_of_everything" {
  command         = plan
  expect_failures = [var.alert_thresholds]

  variables {
    alert_thresholds = { players_drop_percent = 100 }
  }
}

run "factor_that_always_fires" {
  command         = plan
  expect_failures = [var.alert_thresholds]

  variables {
    alert_thresholds = { crash_spike_factor = 1 }
  }
}

run "no_minimum" {
  command         = plan
  expect_failures = [var.alert_thresholds]

  variables {
    alert_thresholds = { players_minimum = 0 }
  }
}

run "unknown_position" {
  command         = plan
  expect_failures = [var.application]

  variables {
    application = { initial_position = "EARLIEST" }
  }
}

run "no_parallelism" {
  command         = plan
  expect_failures = [var.application]

  variables {
    application = { parallelism = 0 }
  }
}

run "overloaded_unit" {
  command         = plan
  expect_failures = [var.application]

  variables {
    application = { parallelism_per_kpu = 9 }
  }
}

run "metrics_forgotten_too_soon" {
  command         = plan
  expect_failures = [var.metrics_stream]

  variables {
    metrics_stream = { retention_hours = 1 }
  }
}

run "half_a_shard" {
  command         = plan
  expect_failures = [var.metrics_stream]

  variables {
    metrics_stream = { shards = 0.5 }
  }
}

run "subnets_without_security_groups" {
  command         = plan
  expect_failures = [var.vpc]

  variables {
    vpc = { subnet_ids = ["subnet-1"] }
  }
}

run "no_retention" {
  command         = plan
  expect_failures = [var.retention_hours]

  variables {
    retention_hours = 0
  }
}

run "shards_idle_before_they_are_read" {
  command         = plan
  expect_failures = [var.windows]

  variables {
    windows = { idle_timeout_seconds = 19 }
  }
}

run "no_patience" {
  command         = plan
  expect_failures = [var.windows]

  variables {
    windows = { allowed_lateness_seconds = 0 }
  }
}
