mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  description = "Tells who plays."
  environment = { PLAYERS_TABLE = "demo-test-players" }
  name        = "player_state"

  policy_statements = {
    ReadPlayers = {
      actions   = ["dynamodb:BatchGetItem"]
      resources = ["arn:aws:dynamodb:eu-west-1:111122223333:table/demo-test-players"]
    }
  }

  settings = {
    alerts_topic_arn   = "arn:aws:sns:eu-west-1:111122223333:alerts"
    kms_key_arns       = { operations = "arn:aws:kms:eu-west-1:111122223333:key/operations" }
    layer_arns         = ["arn:aws:lambda:eu-west-1:111122223333:layer:demo-test-telemetry:1"]
    log_level          = "INFO"
    log_retention_days = 30
    name_prefix        = "demo-test"
    packages_bucket    = "demo-test-lake"
    packages_directory = "../../testing/packages"
    tracing            = false
  }

  sizing = { memory_mb = 512, timeout_seconds = 30 }
}

run "resources" {
  command = plan

  assert {
    condition = (
      aws_lambda_function.this.function_name == "demo-test-player-state"
      && aws_lambda_function.this.handler == "player_state.handler.lambda_handler"
    )
    error_message = "Name and handler follow from the package's name."
  }

  assert {
    condition = aws_lambda_function.this.environment[0].variables == tomap({
      PLAYERS_TABLE                = "demo-test-players"
      POWERTOOLS_LOG_LEVEL         = "INFO"
      POWERTOOLS_METRICS_NAMESPACE = "demo-test"
      POWERTOOLS_SERVICE_NAME      = "player_state"
    })
    error_message = "The function must get its own and the Powertools variables."
  }

  assert {
    condition = (
      aws_lambda_function.this.source_code_hash ==
      filebase64sha256("${var.settings.packages_directory}/player_state.zip")
    )
    error_message = "The hash of the package decides whether the code is updated."
  }

  assert {
    condition = (
      aws_s3_object.package.bucket == "demo-test-lake"
      && aws_s3_object.package.source == "../../testing/packages/player_state.zip"
      && endswith(aws_s3_object.package.key, "/${filesha256(aws_s3_object.package.source)}.zip")
      && aws_lambda_function.this.s3_bucket == aws_s3_object.package.bucket
      && aws_lambda_function.this.s3_key == aws_s3_object.package.key
    )
    error_message = "The function must run the package that this apply has written."
  }

  assert {
    condition = (
      aws_lambda_function.this.logging_config[0].log_format == "JSON" &&
      aws_lambda_function.this.logging_config[0].system_log_level == "WARN"
    )
    error_message = "Lambda logs failed invocations only."
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.this.retention_in_days == 30
      && aws_cloudwatch_log_group.this.kms_key_id == var.settings.kms_key_arns.operations
    )
    error_message = "Logs must expire and be encrypted with the platform's key."
  }

  assert {
    condition = { for statement in jsondecode(module.role.policy).Statement : statement.Sid => statement.Action } == {
      DecryptAtRest = ["kms:Decrypt"]
      ReadPlayers   = ["dynamodb:BatchGetItem"]
      WriteLogs     = ["logs:CreateLogStream", "logs:PutLogEvents"]
    }
    error_message = "The role must have the caller's actions, logs and decryption, and no others."
  }

  assert {
    condition     = jsondecode(module.role.trust).Statement[0].Principal == { Service = ["lambda.amazonaws.com"] }
    error_message = "Only Lambda may assume the role."
  }

  assert {
    condition     = aws_lambda_function.this.tracing_config[0].mode == "PassThrough"
    error_message = "Tracing is off unless asked for."
  }

  assert {
    condition     = aws_lambda_function.this.code_signing_config_arn == null
    error_message = "Packages are unsigned unless asked for."
  }

  assert {
    condition = (
      {
        for name, alarm in aws_cloudwatch_metric_alarm.this :
        name => [alarm.namespace, alarm.metric_name, alarm.statistic, tostring(alarm.threshold)]
      } ==
      {
        duration  = ["AWS/Lambda", "Duration", "Maximum", "24000"]
        errors    = ["AWS/Lambda", "Errors", "Sum", "0"]
        throttles = ["AWS/Lambda", "Throttles", "Sum", "0"]
      }
    )
    error_message = "Each function must watch errors, throttles and 80 % of its time limit."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.this :
      alarm.dimensions == tomap({ FunctionName = "demo-test-player-state" })
      && alarm.treat_missing_data == "notBreaching"
      && alarm.alarm_actions == toset([var.settings.alerts_topic_arn])
      && endswith(alarm.alarm_description, ": docs/runbooks/lambda-function.md")
    ])
    error_message = "The alarms must watch this function, report, and name the runbook; no invocation is no failure."
  }
}

run "traced_and_signed" {
  command = plan

  variables {
    settings = {
      alerts_topic_arn   = "arn:aws:sns:eu-west-1:111122223333:alerts"
      code_signing_arn   = "arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-0123456789abcdef0"
      kms_key_arns       = { operations = "arn:aws:kms:eu-west-1:111122223333:key/operations" }
      layer_arns         = []
      log_level          = "INFO"
      log_retention_days = 30
      name_prefix        = "demo-test"
      packages_bucket    = "demo-test-lake"
      packages_directory = "../../testing/packages"
      tracing            = true
    }
  }

  assert {
    condition = (
      one(
        [
          for statement in jsondecode(module.role.policy).Statement : statement.Action if statement.Sid == "WriteTraces"
        ]
      ) ==
      ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    )
    error_message = "A traced function may write traces."
  }

  assert {
    condition     = aws_lambda_function.this.code_signing_config_arn == var.settings.code_signing_arn
    error_message = "Lambda must check the package's signature."
  }
}

run "package_missing" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "absent"
  }
}

run "unknown_log_level" {
  command         = plan
  expect_failures = [var.settings]

  variables {
    settings = {
      alerts_topic_arn   = "arn:aws:sns:eu-west-1:111122223333:alerts"
      kms_key_arns       = { operations = "arn:aws:kms:eu-west-1:111122223333:key/operations" }
      layer_arns         = []
      log_level          = "LOUD"
      log_retention_days = 30
      name_prefix        = "demo-test"
      packages_bucket    = "demo-test-lake"
      packages_directory = "../../testing/packages"
      tracing            = false
    }
  }
}

run "too_little_memory" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { memory_mb = 64, timeout_seconds = 30 }
  }
}

run "too_long" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { memory_mb = 512, timeout_seconds = 901 }
  }
}

run "never_runs" {
  command         = plan
  expect_failures = [var.sizing]

  variables {
    sizing = { memory_mb = 512, reserved_concurrency = 0, timeout_seconds = 10 }
  }
}
