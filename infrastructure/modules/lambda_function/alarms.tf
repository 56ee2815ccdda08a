locals {
  runbook = "docs/runbooks/lambda-function.md"

  # Missing data is not an alarm: a function without invocations does not fail.
  alarms = {
    # Nothing is lost near the limit, but a batch that reaches it starts again.
    duration = {
      description = "An invocation took more than 80 % of its time limit in each of three periods"
      metric      = "Duration"
      periods     = 3
      statistic   = "Maximum"
      threshold   = 800 * var.sizing.timeout_seconds
    }
    errors = {
      description = "Invocations fail in each of three periods"
      metric      = "Errors"
      periods     = 3
      statistic   = "Sum"
      threshold   = 0
    }
    throttles = {
      description = "Invocations are refused because no execution is free"
      metric      = "Throttles"
      periods     = 2
      statistic   = "Sum"
      threshold   = 0
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.function_name}-${each.key}"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "${each.value.description}: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  evaluation_periods  = each.value.periods
  metric_name         = each.value.metric
  namespace           = "AWS/Lambda"
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = 300
  statistic           = each.value.statistic
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
}
