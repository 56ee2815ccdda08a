locals {
  alert_detail_type = "Player analytics alert"
  default_bus_arn   = "arn:${var.account.partition}:events:${var.account.region}:${var.account.id}:event-bus/default"
}

resource "aws_cloudwatch_event_rule" "alerts" {
  name        = "${var.settings.name_prefix}-alerts"
  description = "Alerts of the games, to the alerts topic."

  event_pattern = jsonencode({
    detail-type = [local.alert_detail_type]
    source      = [var.settings.name_prefix]
  })
}

resource "aws_cloudwatch_event_target" "topic" {
  rule = aws_cloudwatch_event_rule.alerts.name
  arn  = var.settings.alerts_topic_arn

  input_transformer {
    input_paths = { message = "$.detail.message" }

    # This is JSON, but jsonencode would escape the angle brackets.
    input_template = "\"<message> What to do: ${local.runbook}\""
  }

  dead_letter_config {
    arn = aws_sqs_queue.undelivered_alerts.arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 20
  }

  depends_on = [aws_sqs_queue_policy.undelivered_alerts]
}

resource "aws_sqs_queue" "undelivered_alerts" {
  name                              = "${var.settings.name_prefix}-undelivered-alerts"
  kms_data_key_reuse_period_seconds = 3600
  kms_master_key_id                 = var.settings.kms_key_arns.operations
  message_retention_seconds         = 1209600
}

resource "aws_sqs_queue_policy" "undelivered_alerts" {
  queue_url = aws_sqs_queue.undelivered_alerts.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RuleOfAlerts"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.undelivered_alerts.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.alerts.arn } }
    }]
  })
}
