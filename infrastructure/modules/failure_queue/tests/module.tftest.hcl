mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  alerts_topic_arn = "arn:aws:sns:eu-west-1:111122223333:alerts"
  kms_key_arn      = "arn:aws:kms:eu-west-1:111122223333:key/example"
  name             = "demo-test-reports"
  runbook          = "docs/runbooks/scheduled-reports.md"
}

run "alarm" {
  command = plan

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.failed.alarm_actions == toset([var.alerts_topic_arn])
      && aws_cloudwatch_metric_alarm.failed.dimensions["QueueName"] == "demo-test-reports-failures"
      && endswith(aws_cloudwatch_metric_alarm.failed.alarm_description, ": ${var.runbook}")
    )
    error_message = "A message in the queue alarms, and the alarm names the runbook."
  }

  assert {
    condition = (
      aws_sqs_queue.this.kms_master_key_id == var.kms_key_arn
      && aws_sqs_queue.this.message_retention_seconds == 14 * 86400
    )
    error_message = "Messages are encrypted, and stay for two weeks."
  }
}

run "no_runbook" {
  command         = plan
  expect_failures = [var.runbook]

  variables {
    runbook = "README.md"
  }
}
