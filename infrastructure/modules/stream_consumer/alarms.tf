locals {
  runbook = "docs/runbooks/stream-consumer.md"
}

# Lambda publishes a 0 for each read that finds no record, and counts records before it filters them. So an idle stream
# and a filter that takes nothing have a count too. Only a mapping that does not read has none.
resource "aws_cloudwatch_metric_alarm" "silent" {
  alarm_name          = "${module.function.name}-silent"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "The stream has not been read for 15 to 25 minutes: ${local.runbook}"
  comparison_operator = "LessThanThreshold"
  dimensions          = { EventSourceMappingUUID = aws_lambda_event_source_mapping.this.uuid }
  evaluation_periods  = 3
  metric_name         = "PolledEventCount"
  namespace           = "AWS/Lambda"
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = 300
  statistic           = "SampleCount"
  threshold           = 1
  treat_missing_data  = "breaching"
}

# Missing data is not an alarm: an idle stream has no age, and an empty queue may report nothing.
resource "aws_cloudwatch_metric_alarm" "iterator_age" {
  alarm_name          = "${module.function.name}-iterator-age"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "Records are read more than a minute late, for five minutes: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { FunctionName = module.function.name }
  evaluation_periods  = 5
  metric_name         = "IteratorAge"
  namespace           = "AWS/Lambda"
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = 60
  statistic           = "Maximum"
  threshold           = 60000
  treat_missing_data  = "notBreaching"
}

# Clients make up names until a game has as many as it may have.
resource "aws_cloudwatch_metric_alarm" "names_capped" {
  count = length(local.name_limits)

  alarm_name          = "${module.function.name}-names-capped"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "A game has more names than it may have: docs/runbooks/names-capped.md"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { service = var.name }
  evaluation_periods  = 3
  metric_name         = "EventsCapped"
  namespace           = var.settings.name_prefix
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = 300
  statistic           = "Sum"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "failures" {
  alarm_name          = aws_sqs_queue.failures.name
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "Batches failed; the stream keeps their records until its retention ends: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { QueueName = aws_sqs_queue.failures.name }
  evaluation_periods  = 1
  metric_name         = "ApproximateNumberOfMessagesVisible"
  namespace           = "AWS/SQS"
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = 60
  statistic           = "Maximum"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}
