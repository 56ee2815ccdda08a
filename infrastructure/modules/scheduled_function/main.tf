locals {
  name = "${var.settings.name_prefix}-${replace(var.name, "_", "-")}"

  schedule_statements = {
    Encrypt = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.operations]
    }
    Invoke = {
      actions   = ["lambda:InvokeFunction"]
      resources = [module.function.arn]
    }
    ReportFailures = {
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.failures.arn]
    }
  }
}

module "function" {
  source = "../lambda_function"

  description = var.description
  environment = var.environment
  name        = var.name
  settings    = var.settings
  sizing      = var.sizing

  policy_statements = merge(var.policy_statements, {
    Encrypt        = { actions = ["kms:GenerateDataKey"], resources = [var.settings.kms_key_arns.operations] }
    ReportFailures = { actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.failures.arn] }
  })
}

resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = module.function.name
  maximum_event_age_in_seconds = 21600
  maximum_retry_attempts       = 2

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failures.arn
    }
  }
}

resource "aws_scheduler_schedule" "this" {
  for_each = var.schedules

  name                         = "${local.name}-${each.key}"
  description                  = var.description
  kms_key_arn                  = var.settings.kms_key_arns.operations
  schedule_expression          = each.value.expression
  schedule_expression_timezone = "UTC"
  state                        = var.enabled ? "ENABLED" : "DISABLED"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.function.arn
    input    = each.value.input
    role_arn = module.schedule_role.arn

    dead_letter_config {
      arn = aws_sqs_queue.failures.arn
    }

    retry_policy {
      maximum_event_age_in_seconds = 21600
      maximum_retry_attempts       = 10
    }
  }
}

# Holds what was asked and why it failed, no figures.
resource "aws_sqs_queue" "failures" {
  name                              = "${local.name}-failures"
  kms_data_key_reuse_period_seconds = 3600
  kms_master_key_id                 = var.settings.kms_key_arns.operations
  message_retention_seconds         = 1209600
}

resource "aws_cloudwatch_metric_alarm" "failed" {
  alarm_name          = "${local.name}-failed"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "A scheduled run failed for good, or was never started: ${var.runbook}"
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

module "schedule_role" {
  source = "../service_role"

  boundary_arn    = var.settings.boundary_arn
  name            = "${local.name}-schedule"
  services        = ["scheduler.amazonaws.com"]
  statements      = local.schedule_statements
  trust_condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
}
