locals {
  runbook = "docs/runbooks/dynamodb-table.md"

  # DynamoDB throttles an index on its own. A throttled index also holds up writes to its table.
  watched = merge(
    { (var.name) = { TableName = var.name } },
    {
      for index in keys(var.indexes) : "${var.name}-${replace(index, "_", "-")}" => {
        GlobalSecondaryIndexName = index
        TableName                = var.name
      }
    },
  )

  alarms = merge([
    for name, dimensions in local.watched : {
      for operation, metric in { read = "ReadThrottleEvents", write = "WriteThrottleEvents" } :
      "${name}-${operation}-throttles" => { dimensions = dimensions, metric = metric, operation = operation }
    }
  ]...)
}

# The SDK retries a few throttled requests. Missing data is not an alarm: DynamoDB reports throttles only when they
# occur.
resource "aws_cloudwatch_metric_alarm" "throttles" {
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
