# A message holds the event and the error of an invocation, and no figures.
resource "aws_sqs_queue" "this" {
  name                              = "${var.name}-failures"
  kms_data_key_reuse_period_seconds = 3600
  kms_master_key_id                 = var.kms_key_arn
  message_retention_seconds         = 1209600
}

resource "aws_cloudwatch_metric_alarm" "failed" {
  alarm_name          = "${var.name}-failed"
  alarm_actions       = [var.alerts_topic_arn]
  alarm_description   = "A scheduled run failed for good, or was never started: ${var.runbook}"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { QueueName = aws_sqs_queue.this.name }
  evaluation_periods  = 1
  metric_name         = "ApproximateNumberOfMessagesVisible"
  namespace           = "AWS/SQS"
  ok_actions          = [var.alerts_topic_arn]
  period              = 300
  statistic           = "Maximum"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}
