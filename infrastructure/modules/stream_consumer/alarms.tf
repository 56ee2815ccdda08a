locals {
  runbook = "docs/runbooks/stream-consumer.md"
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
