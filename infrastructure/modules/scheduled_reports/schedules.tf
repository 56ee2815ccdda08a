resource "aws_scheduler_schedule" "this" {
  for_each = { day = "cron(0 5 * * ? *)", week = "cron(0 6 ? * MON *)" }

  name                         = "${local.name}-${each.key}"
  description                  = "Reports on the ${each.key} that is over."
  kms_key_arn                  = var.settings.kms_key_arn
  schedule_expression          = each.value
  schedule_expression_timezone = "UTC"
  state                        = var.enabled ? "ENABLED" : "DISABLED"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.function.arn
    input    = "{\"period\":\"${each.key}\",\"scheduled\":\"<aws.scheduler.scheduled-time>\"}"
    role_arn = aws_iam_role.schedule.arn

    dead_letter_config {
      arn = aws_sqs_queue.failures.arn
    }

    retry_policy {
      maximum_event_age_in_seconds = 21600
      maximum_retry_attempts       = 10
    }
  }

  depends_on = [aws_iam_role_policy.schedule]
}

# Holds the period and the names of the games that failed, no figures.
resource "aws_sqs_queue" "failures" {
  name                              = "${local.name}-failures"
  kms_data_key_reuse_period_seconds = 3600
  kms_master_key_id                 = var.settings.kms_key_arn
  message_retention_seconds         = 1209600
}

resource "aws_cloudwatch_metric_alarm" "failed" {
  alarm_name          = "${local.name}-failed"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "Reports failed for good, or were never started: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { QueueName = aws_sqs_queue.failures.name }
  evaluation_periods  = 1
  metric_name         = "ApproximateNumberOfMessagesVisible"
  namespace           = "AWS/SQS"
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = 300
  statistic           = "Maximum"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}
