locals {
  runbook = "docs/runbooks/data-lake.md"

  # Firehose retries S3 for a day before it drops a record: an hour leaves time to act.
  freshness_seconds = 3600

  # Missing data is not an alarm: Firehose reports nothing while nothing is sent.
  alarms = merge([
    for name, stream in aws_kinesis_firehose_delivery_stream.this : {
      "${name}-delivery-freshness" = {
        comparison  = "GreaterThanThreshold"
        description = "The oldest undelivered record is older than an hour"
        metric      = "DeliveryToS3.DataFreshness"
        statistic   = "Maximum"
        stream      = stream.name
        threshold   = local.freshness_seconds
      }
      "${name}-delivery-failures" = {
        comparison  = "LessThanThreshold"
        description = "Writes to S3 fail"
        metric      = "DeliveryToS3.Success"
        statistic   = "Average"
        stream      = stream.name
        threshold   = 1
      }
      "${name}-delivery-throttles" = {
        comparison  = "GreaterThanThreshold"
        description = "The processor sends more than the quota of the stream"
        metric      = "ThrottledRecords"
        statistic   = "Sum"
        stream      = stream.name
        threshold   = 0
      }
    }
  ]...)
}

resource "aws_cloudwatch_metric_alarm" "delivery" {
  for_each = local.alarms

  alarm_name          = "${var.name_prefix}-${each.key}"
  alarm_actions       = [var.alerts_topic_arn]
  alarm_description   = "${each.value.description}: ${local.runbook}"
  comparison_operator = each.value.comparison
  dimensions          = { DeliveryStreamName = each.value.stream }
  evaluation_periods  = 3
  metric_name         = each.value.metric
  namespace           = "AWS/Firehose"
  ok_actions          = [var.alerts_topic_arn]
  period              = 300
  statistic           = each.value.statistic
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
}
