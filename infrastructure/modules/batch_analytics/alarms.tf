# A failed run sends its cause to the topic. The alarm also rings when that message was lost or the run was stopped.
resource "aws_cloudwatch_metric_alarm" "failed" {
  alarm_name          = "${local.name}-failed"
  alarm_actions       = [var.alerts_topic_arn]
  alarm_description   = "A batch run failed, timed out or was stopped: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  ok_actions          = [var.alerts_topic_arn]
  threshold           = 0
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "failed"
    expression  = "SUM(METRICS())"
    label       = "Runs without success"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = ["ExecutionsAborted", "ExecutionsFailed", "ExecutionsTimedOut"]

    content {
      id = lower(metric_query.value)

      metric {
        dimensions  = { StateMachineArn = aws_sfn_state_machine.this.arn }
        metric_name = metric_query.value
        namespace   = "AWS/States"
        period      = 3600
        stat        = "Sum"
      }
    }
  }
}

locals {
  silent_hours = var.schedule.every_hours + 2
}

resource "aws_cloudwatch_metric_alarm" "silent" {
  alarm_name          = "${local.name}-silent"
  alarm_actions       = [var.alerts_topic_arn]
  alarm_description   = "No batch run has started for ${local.silent_hours} hours: ${local.runbook}"
  comparison_operator = "LessThanThreshold"
  dimensions          = { StateMachineArn = aws_sfn_state_machine.this.arn }
  evaluation_periods  = local.silent_hours
  metric_name         = "ExecutionsStarted"
  namespace           = "AWS/States"
  ok_actions          = [var.alerts_topic_arn]
  period              = 3600
  statistic           = "Sum"
  threshold           = 1
  # Missing data is not an alarm while the schedule is off.
  treat_missing_data = var.schedule.enabled ? "breaching" : "notBreaching"
}

# The job logs one line for each game that it sets aside.
resource "aws_cloudwatch_log_metric_filter" "set_aside" {
  name           = "${local.name}-set-aside"
  log_group_name = aws_cloudwatch_log_group.job.name
  pattern        = "\"SET ASIDE\""

  metric_transformation {
    name      = "${local.name}-games-set-aside"
    namespace = "PlayerAnalytics"
    unit      = "Count"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "set_aside" {
  alarm_name          = "${local.name}-set-aside"
  alarm_actions       = [var.alerts_topic_arn]
  alarm_description   = "A batch run left a game unpublished: docs/runbooks/batch-analytics-set-aside.md"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  metric_name         = aws_cloudwatch_log_metric_filter.set_aside.metric_transformation[0].name
  namespace           = aws_cloudwatch_log_metric_filter.set_aside.metric_transformation[0].namespace
  ok_actions          = [var.alerts_topic_arn]
  period              = 3600
  statistic           = "Sum"
  threshold           = 0
  # Missing data is not an alarm: most runs set no game aside.
  treat_missing_data = "notBreaching"
}
