mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account          = { id = "111122223333", partition = "aws", region = "eu-west-1" }
  alerts_topic_arn = "arn:aws:sns:eu-west-1:111122223333:alerts"
  lake             = { arn = "arn:aws:s3:::lake", database = "demo_test", name = "lake", tables = ["daily", "events"] }

  schedule = { every_hours = 24 }

  settings = {
    kms_key_arns = {
      events     = "arn:aws:kms:eu-west-1:111122223333:key/events"
      operations = "arn:aws:kms:eu-west-1:111122223333:key/operations"
    }
    layer_arns         = []
    log_level          = "INFO"
    log_retention_days = 30
    name_prefix        = "demo-test"
    packages_bucket    = "demo-test-lake"
    packages_directory = "../../testing/packages"
    tracing            = true
  }
}

run "resources" {
  command = plan

  assert {
    condition = (
      aws_emrserverless_application.this.name == "demo-test-batch-analytics"
      && aws_emrserverless_application.this.type == "spark"
      && startswith(aws_emrserverless_application.this.release_label, "emr-7.")
      && aws_emrserverless_application.this.architecture == "ARM64"
    )
    error_message = "Spark 3.5 runs on ARM64."
  }

  assert {
    condition = (
      length(aws_emrserverless_application.this.initial_capacity) == 0
      && aws_emrserverless_application.this.auto_stop_configuration[0].enabled
      && aws_emrserverless_application.this.auto_stop_configuration[0].idle_timeout_minutes == 5
      && aws_emrserverless_application.this.maximum_capacity[0].cpu == "16 vCPU"
      && aws_emrserverless_application.this.maximum_capacity[0].memory == "64 GB"
      && aws_emrserverless_application.this.maximum_capacity[0].disk == "200 GB"
    )
    error_message = "Nothing is billed between runs, and a run fits the 16 vCPUs of a new account."
  }

  assert {
    condition = (
      {
        for key, object in aws_s3_object.package :
        key => [object.bucket, object.key, object.kms_key_id, object.source_hash]
      } ==
      {
        code = [
          "lake",
          "artifacts/batch_analytics.zip",
          var.settings.kms_key_arns.events,
          filebase64sha256("../../testing/packages/batch_analytics.zip"),
        ]
        entry = [
          "lake",
          "artifacts/batch_analytics.main.py",
          var.settings.kms_key_arns.events,
          filebase64sha256("../../testing/packages/batch_analytics.main.py"),
        ]
      }
    )
    error_message = "Entry and code must be encrypted, and uploaded again when their bytes change."
  }

  assert {
    condition = (
      jsondecode(
        aws_sfn_state_machine.this.definition
      ).States.Job.Arguments.JobDriver.SparkSubmit.EntryPointArguments ==
      [
        "all",
        "--lake",
        "s3://lake",
        "--database",
        "demo_test",
        "--run-id",
        "{% $states.input.run_id %}",
        "--from",
        "{% $states.input.from %}",
        "--to",
        "{% $states.input.to %}",
      ]
    )
    error_message = "The job must be told lake, database, run and hours."
  }

  assert {
    condition = alltrue([
      for state in values(jsondecode(aws_sfn_state_machine.this.definition).States) :
      (
        state.Arguments.JobDriver.SparkSubmit.EntryPoint == "s3://lake/artifacts/batch_analytics.main.py"
        && startswith(
          state.Arguments.JobDriver.SparkSubmit.SparkSubmitParameters,
          "--py-files s3://lake/artifacts/batch_analytics.zip --conf "
        )
        && strcontains(
          state.Arguments.JobDriver.SparkSubmit.SparkSubmitParameters,
          "--conf spark.dynamicAllocation.initialExecutors=2 --conf spark.dynamicAllocation.maxExecutors=2 "
        )
        && endswith(
          state.Arguments.JobDriver.SparkSubmit.SparkSubmitParameters,
          "--conf spark.sql.shuffle.partitions=64"
        )
        && state.Arguments.ExecutionRoleArn == module.job_role.arn
        && state.Arguments.ExecutionTimeoutMinutes == "{% 240 %}"
        && state.Arguments.ConfigurationOverrides.MonitoringConfiguration.CloudWatchLoggingConfiguration.LogGroupName ==
        aws_cloudwatch_log_group.job.name
        && !state.Arguments.ConfigurationOverrides.MonitoringConfiguration.ManagedPersistenceMonitoringConfiguration.Enabled
      )
      if try(state.Arguments.JobDriver, null) != null
    ])
    error_message = "The job runs the entry with the package, bounded, and logs where the platform's key encrypts."
  }

  assert {
    condition = (
      aws_sfn_state_machine.this.encryption_configuration[0].kms_key_id == var.settings.kms_key_arns.operations
      && aws_sfn_state_machine.this.encryption_configuration[0].type == "CUSTOMER_MANAGED_KMS_KEY"
      && aws_sfn_state_machine.this.logging_configuration[0].level == "ERROR"
      && aws_sfn_state_machine.this.tracing_configuration[0].enabled
    )
    error_message = "Executions must be encrypted, logged and traced."
  }

  assert {
    condition = alltrue([
      for log in [aws_cloudwatch_log_group.job, aws_cloudwatch_log_group.state_machine] :
      log.kms_key_id == var.settings.kms_key_arns.operations && log.retention_in_days == 30
    ])
    error_message = "Logs must be encrypted with the platform's key and expire."
  }

  assert {
    condition = (
      aws_scheduler_schedule.this.schedule_expression == "cron(10 2 * * ? *)"
      && aws_scheduler_schedule.this.state == "ENABLED"
      && aws_scheduler_schedule.this.kms_key_arn == var.settings.kms_key_arns.operations
      && aws_scheduler_schedule.this.target[0].arn == aws_sfn_state_machine.this.arn
      && aws_scheduler_schedule.this.target[0].dead_letter_config[0].arn == module.schedule_failures.arn
      && jsondecode(aws_scheduler_schedule.this.target[0].input) == { scheduled = "<aws.scheduler.scheduled-time>" }
    )
    error_message = "The state machine must be told the time that the schedule was due."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(module.job_role.policy).Statement :
        statement.Sid => [statement.Action, statement.Resource]
      } ==
      {
        Encrypt      = [["kms:Decrypt", "kms:GenerateDataKey"], [var.settings.kms_key_arns.events]]
        FindLogGroup = [["logs:DescribeLogGroups"], ["*"]]
        KeepTables = [
          ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
          [
            "arn:aws:s3:::lake/batch/*", "arn:aws:s3:::lake/gold/*", "arn:aws:s3:::lake/kept/*",
            "arn:aws:s3:::lake/silver/*",
          ],
        ]
        ListLake   = [["s3:GetBucketLocation", "s3:ListBucket"], ["arn:aws:s3:::lake"]]
        ReadBronze = [["s3:GetObject"], ["arn:aws:s3:::lake/bronze/*", "arn:aws:s3:::lake/corrections/*"]]
        ReadCatalog = [
          ["glue:GetDatabase"],
          ["arn:aws:glue:eu-west-1:111122223333:catalog", "arn:aws:glue:eu-west-1:111122223333:database/demo_test"],
        ]
        ReadCode = [
          ["s3:GetObject"],
          ["arn:aws:s3:::lake/artifacts/batch_analytics.zip", "arn:aws:s3:::lake/artifacts/batch_analytics.main.py"],
        ]
        UseTables = [
          ["glue:GetTable", "glue:UpdateTable"],
          [
            "arn:aws:glue:eu-west-1:111122223333:catalog",
            "arn:aws:glue:eu-west-1:111122223333:database/demo_test",
            "arn:aws:glue:eu-west-1:111122223333:table/demo_test/daily",
            "arn:aws:glue:eu-west-1:111122223333:table/demo_test/events",
          ],
        ]
        WriteLogs = [
          ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
          ["${aws_cloudwatch_log_group.job.arn}:*"],
        ]
      }
    )
    error_message = "The job reads bronze, corrections and its code, keeps silver, gold and the runs, and no more."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(module.state_machine_role.policy).Statement :
        statement.Sid => [statement.Action, statement.Resource]
      } ==
      {
        Alert = [["sns:Publish"], [var.alerts_topic_arn]]
        Deliver = [
          [
            "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery", "xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords",
            "xray:PutTraceSegments",
          ],
          ["*"],
        ]
        Encrypt = [["kms:Decrypt", "kms:GenerateDataKey"], [var.settings.kms_key_arns.operations]]
        FollowJobs = [
          ["emr-serverless:CancelJobRun", "emr-serverless:GetJobRun"],
          ["${aws_emrserverless_application.this.arn}/jobruns/*"],
        ]
        HearOfJobs = [
          ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
          ["arn:aws:events:eu-west-1:111122223333:rule/StepFunctionsGetEventsForEMRServerlessJobRule"],
        ]
        LendRole  = [["iam:PassRole"], [module.job_role.arn]]
        StartJobs = [["emr-serverless:StartJobRun"], [aws_emrserverless_application.this.arn]]
        TakeTurns = [
          ["states:ListExecutions", "states:StartExecution"],
          ["arn:aws:states:eu-west-1:111122223333:stateMachine:demo-test-batch-analytics"],
        ]
      }
    )
    error_message = "The state machine runs the job with its role, takes turns and alerts, and no more."
  }

  assert {
    condition = (
      [
        for statement in jsondecode(module.state_machine_role.policy).Statement :
        statement.Condition
        if statement.Sid == "LendRole"
      ] ==
      [{ StringEquals = { "iam:PassedToService" = ["emr-serverless.amazonaws.com"] } }]
    )
    error_message = "The job's role may be lent to EMR Serverless alone."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(module.schedule_role.policy).Statement :
        statement.Sid => [statement.Action, statement.Resource]
      } ==
      {
        Encrypt        = [["kms:Decrypt", "kms:GenerateDataKey"], [var.settings.kms_key_arns.operations]]
        ReportFailures = [["sqs:SendMessage"], [module.schedule_failures.arn]]
        Start = [
          ["states:StartExecution"],
          ["arn:aws:states:eu-west-1:111122223333:stateMachine:demo-test-batch-analytics"],
        ]
      }
    )
    error_message = "The schedule starts the state machine, and no more."
  }

  assert {
    condition = (
      {
        for name, role in {
          job           = module.job_role
          schedule      = module.schedule_role
          state_machine = module.state_machine_role
        } :
        name => [
          for statement in jsondecode(role.trust).Statement :
          [statement.Principal.Service, statement.Condition.StringEquals["aws:SourceAccount"]]
        ]
      } ==
      {
        job           = [[["emr-serverless.amazonaws.com"], "111122223333"]]
        schedule      = [[["scheduler.amazonaws.com"], "111122223333"]]
        state_machine = [[["states.amazonaws.com"], "111122223333"]]
      }
    )
    error_message = "Each role is for one service, on behalf of this account."
  }

  assert {
    condition = alltrue([
      for alarm in [aws_cloudwatch_metric_alarm.failed, aws_cloudwatch_metric_alarm.silent] :
      alarm.alarm_actions == toset([var.alerts_topic_arn])
      && strcontains(alarm.alarm_description, "docs/runbooks/batch-analytics.md")
    ])
    error_message = "Alarms report to the topic and name the runbook."
  }

  assert {
    condition = (
      toset(
        flatten([
          for query in aws_cloudwatch_metric_alarm.failed.metric_query :
          [for metric in query.metric : metric.metric_name]
        ])
      ) ==
      toset(["ExecutionsAborted", "ExecutionsFailed", "ExecutionsTimedOut"])
    )
    error_message = "Each end without success must be noticed."
  }

  assert {
    condition = (
      aws_cloudwatch_log_metric_filter.set_aside.log_group_name == aws_cloudwatch_log_group.job.name
      && aws_cloudwatch_log_metric_filter.set_aside.pattern == "\"SET ASIDE\""
      && aws_cloudwatch_metric_alarm.set_aside.metric_name ==
      aws_cloudwatch_log_metric_filter.set_aside.metric_transformation[0].name
      && strcontains(
        aws_cloudwatch_metric_alarm.set_aside.alarm_description,
        "docs/runbooks/batch-analytics-set-aside.md"
      )
    )
    error_message = "A game that the job sets aside must be noticed."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.silent.treat_missing_data == "breaching"
      && aws_cloudwatch_metric_alarm.silent.evaluation_periods == 26
    )
    error_message = "A schedule that does not fire must be noticed."
  }
}

run "values" {
  command = plan

  variables {
    job      = { maximum_executors = 10 }
    schedule = { delay_hours = 4, enabled = false, every_hours = 8, minute = 30 }
  }

  assert {
    condition = (
      aws_scheduler_schedule.this.state == "DISABLED"
      && aws_scheduler_schedule.this.schedule_expression == "cron(30 4,12,20 * * ? *)"
    )
    error_message = "The schedule comes by value."
  }

  assert {
    condition = (
      aws_emrserverless_application.this.maximum_capacity[0].cpu == "48 vCPU"
      && alltrue([
        for state in values(jsondecode(aws_sfn_state_machine.this.definition).States) :
        strcontains(
          state.Arguments.JobDriver.SparkSubmit.SparkSubmitParameters,
          "--conf spark.dynamicAllocation.initialExecutors=3 --conf spark.dynamicAllocation.maxExecutors=10 "
        )
        if try(state.Arguments.JobDriver, null) != null
      ])
    )
    error_message = "A run may ask for all that the application may use, and no more."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.silent.treat_missing_data == "notBreaching"
    error_message = "A schedule that is off is silent by right."
  }
}

run "too_few_executors" {
  command         = plan
  expect_failures = [var.job]

  variables {
    job = { maximum_executors = 0 }
  }
}

run "endless_run" {
  command         = plan
  expect_failures = [var.job]

  variables {
    job = { timeout_minutes = 1440 }
  }
}

run "hour_still_written" {
  command         = plan
  expect_failures = [var.schedule]

  variables {
    schedule = { delay_hours = 1, every_hours = 24 }
  }
}

run "no_part_of_a_day" {
  command         = plan
  expect_failures = [var.schedule]

  variables {
    schedule = { every_hours = 5 }
  }
}

run "no_such_minute" {
  command         = plan
  expect_failures = [var.schedule]

  variables {
    schedule = { every_hours = 24, minute = 60 }
  }
}
