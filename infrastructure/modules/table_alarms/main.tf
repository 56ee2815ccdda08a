locals {
  runbook = "docs/runbooks/tables.md"

  # An index is throttled by itself, and then holds up the writes of its table.
  watched = merge(
    { for table in var.tables : table => { TableName = table } },
    { for table, index in var.indexes : "${table}-${replace(index, "_", "-")}" => { GlobalSecondaryIndexName = index, TableName = table } },
  )

  alarms = merge([
    for name, dimensions in local.watched : {
      for operation, metric in { read = "ReadThrottleEvents", write = "WriteThrottleEvents" } :
      "${name}-${operation}-throttles" => { dimensions = dimensions, metric = metric, operation = operation }
    }
  ]...)
}

# A few are retried by the SDK. DynamoDB reports throttles only where there are any: silence is fine.
resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = each.key
  alarm_actions       = [var.alerts_topic_arn]
  alarm_description   = "DynamoDB refuses ${each.value.operation}s in each of three periods: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = each.value.dimensions
  evaluation_periods  = 3
  metric_name         = each.value.metric
  namespace           = "AWS/DynamoDB"
  ok_actions          = [var.alerts_topic_arn]
  period              = 60
  statistic           = "Sum"
  threshold           = 10
  treat_missing_data  = "notBreaching"
}
