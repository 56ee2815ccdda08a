mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account_id        = "111122223333"
  description       = "Reports."
  environment       = { LAKE_BUCKET = "lake" }
  name              = "scheduled_reports"
  policy_statements = { Archive = { actions = ["s3:PutObject"], resources = ["arn:aws:s3:::lake/reports/*"] } }
  runbook           = "docs/runbooks/scheduled-reports.md"
  schedules         = { day = { expression = "cron(0 5 * * ? *)", input = "{\"period\":\"day\"}" } }
  sizing            = { memory_mb = 512, timeout_seconds = 900 }
}

run "resources" {
  command = plan

  assert {
    condition = (
      {
        for name, schedule in aws_scheduler_schedule.this :
        name => [
          schedule.name,
          schedule.schedule_expression,
          schedule.schedule_expression_timezone,
          schedule.state,
          schedule.target[0].input,
        ]
      } ==
      { day = ["demo-test-scheduled-reports-day", "cron(0 5 * * ? *)", "UTC", "ENABLED", "{\"period\":\"day\"}"] }
    )
    error_message = "Each schedule starts the function with its order."
  }

  assert {
    condition = alltrue([
      for schedule in aws_scheduler_schedule.this :
      schedule.target[0].dead_letter_config[0].arn == module.failures.arn
      && schedule.kms_key_arn == var.settings.kms_key_arns.operations
    ])
    error_message = "What cannot be started goes to the queue, encrypted with the platform's key."
  }

  assert {
    condition = (
      aws_lambda_function_event_invoke_config.this.maximum_retry_attempts == 2
      && aws_lambda_function_event_invoke_config.this.destination_config[0].on_failure[0].destination ==
      module.failures.arn
    )
    error_message = "What failed three times goes to the queue."
  }

  assert {
    condition = { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Action } == {
      Archive        = ["s3:PutObject"]
      DecryptAtRest  = ["kms:Decrypt"]
      Encrypt        = ["kms:GenerateDataKey"]
      ReportFailures = ["sqs:SendMessage"]
      WriteLogs      = ["logs:CreateLogStream", "logs:PutLogEvents"]
    }
    error_message = "The function may do what it is given, and report its failures."
  }

  assert {
    condition = (
      { for statement in jsondecode(module.schedule_role.policy).Statement : statement.Sid => statement.Action } == {
        Encrypt        = ["kms:Decrypt", "kms:GenerateDataKey"]
        Invoke         = ["lambda:InvokeFunction"]
        ReportFailures = ["sqs:SendMessage"]
      }
    )
    error_message = "The schedules start the function, and no more."
  }
}

run "off" {
  command = plan

  variables {
    enabled = false
  }

  assert {
    condition     = alltrue([for schedule in aws_scheduler_schedule.this : schedule.state == "DISABLED"])
    error_message = "The schedules can be off."
  }
}

run "no_expression" {
  command         = plan
  expect_failures = [var.schedules]

  variables {
    schedules = { day = { expression = "every day" } }
  }
}
