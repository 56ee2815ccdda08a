locals {
  runbook = "docs/runbooks/apis.md"

  # The thresholds of errors are shares of requests. An API without requests is not down.
  alarms = {
    "4xx" = {
      description = "More than a quarter of the requests are refused"
      metric      = "4XXError"
      statistic   = "Average"
      threshold   = 0.25
    }
    "5xx" = {
      description = "More than 1 % of the requests fail"
      metric      = "5XXError"
      statistic   = "Average"
      threshold   = 0.01
    }
    latency = {
      description = "One request in a hundred takes longer than 2 s"
      metric      = "Latency"
      statistic   = "p99"
      threshold   = 2000
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "api" {
  for_each = local.alarms

  alarm_name          = "${var.settings.name_prefix}-ingest-${each.key}"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "${each.value.description}: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { ApiName = aws_api_gateway_rest_api.this.name, Stage = local.stage }
  evaluation_periods  = 3
  extended_statistic  = each.value.statistic == "p99" ? "p99" : null
  metric_name         = each.value.metric
  namespace           = "AWS/ApiGateway"
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = 300
  statistic           = each.value.statistic == "p99" ? null : each.value.statistic
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
}
