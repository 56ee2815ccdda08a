locals {
  runbook = "docs/runbooks/realtime-analytics.md"

  # Counters count from the application's start: their rise is what alarms. Times are milliseconds.
  alarms = {
    behind = {
      description = "The application reads events more than a minute after they were written"
      expression  = "SELECT MAX(millisBehindLatest) FROM \"AWS/KinesisAnalytics\" WHERE Application = '${local.application_name}'"
      metric      = null
      missing     = "notBreaching"
      period      = 60
      periods     = 5
      threshold   = 60000
    }
    checkpoint_duration = {
      description = "Checkpoints take longer than the minute between them"
      expression  = null
      metric      = "lastCheckpointDuration"
      missing     = "notBreaching"
      period      = 300
      periods     = 3
      threshold   = 60000
    }
    cpu = {
      description = "Processors are busy though autoscaling had half an hour to add units: it is at its ceiling"
      expression  = null
      metric      = "cpuUtilization"
      missing     = "notBreaching"
      period      = 300
      periods     = 6
      threshold   = 80
    }
    # One that died reports nothing; one that is not to run is silent by right.
    downtime = {
      description = "The application is down or silent for ten minutes"
      expression  = null
      metric      = "downtime"
      missing     = var.application.start ? "breaching" : "notBreaching"
      period      = 60
      periods     = 10
      threshold   = 0
    }
    failed_checkpoints = {
      description = "Checkpoints fail again and again"
      expression  = "DIFF(metric)"
      metric      = "numberOfFailedCheckpoints"
      missing     = "notBreaching"
      period      = 300
      periods     = 3
      threshold   = 0
    }
    restarts = {
      description = "The application fails and restarts again and again"
      expression  = "DIFF(metric)"
      metric      = "fullRestarts"
      missing     = "notBreaching"
      period      = 300
      periods     = 3
      threshold   = 0
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "application" {
  for_each = local.alarms

  alarm_name          = "${local.application_name}-${replace(each.key, "_", "-")}"
  alarm_actions       = [var.alerts_topic_arn]
  alarm_description   = "${each.value.description}: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  datapoints_to_alarm = each.value.periods
  evaluation_periods  = each.value.periods
  ok_actions          = [var.alerts_topic_arn]
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing

  dynamic "metric_query" {
    for_each = each.value.metric == null ? [] : [each.value.metric]

    content {
      id          = "metric"
      return_data = each.value.expression == null

      metric {
        dimensions  = { Application = local.application_name }
        metric_name = metric_query.value
        namespace   = "AWS/KinesisAnalytics"
        period      = each.value.period
        stat        = "Maximum"
      }
    }
  }

  dynamic "metric_query" {
    for_each = each.value.expression == null ? [] : [each.value.expression]

    content {
      id          = "result"
      expression  = metric_query.value
      label       = each.value.description
      period      = each.value.metric == null ? each.value.period : null
      return_data = true
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "undelivered_alerts" {
  alarm_name          = aws_sqs_queue.undelivered_alerts.name
  alarm_actions       = [var.alerts_topic_arn]
  alarm_description   = "Alerts of games wait that could not be delivered: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { QueueName = aws_sqs_queue.undelivered_alerts.name }
  evaluation_periods  = 1
  metric_name         = "ApproximateNumberOfMessagesVisible"
  namespace           = "AWS/SQS"
  ok_actions          = [var.alerts_topic_arn]
  period              = 300
  statistic           = "Maximum"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}
