locals {
  runbook = "docs/runbooks/realtime-analytics.md"

  # Times are in milliseconds.
  gauges = {
    checkpoint_duration = {
      description = "Checkpoints take longer than the minute between them"
      metric      = "lastCheckpointDuration"
      missing     = "notBreaching"
      period      = 300
      periods     = 3
      threshold   = 60000
    }
    cpu = {
      description = "Busy for half an hour: autoscaling is at its maximum"
      metric      = "cpuUtilization"
      missing     = "notBreaching"
      period      = 300
      periods     = 6
      threshold   = 80
    }
    # A dead application reports nothing. An application that is not started reports nothing either.
    downtime = {
      description = "Down or silent for ten minutes"
      metric      = "downtime"
      missing     = var.application.start ? "breaching" : "notBreaching"
      period      = 60
      periods     = 10
      threshold   = 0
    }
  }

  # These metrics count from the start of the application, so the alarm watches their rise.
  counters = {
    failed_checkpoints = { description = "Checkpoints fail again and again", metric = "numberOfFailedCheckpoints" }
    restarts           = { description = "It fails and restarts again and again", metric = "fullRestarts" }
  }
}

resource "aws_cloudwatch_metric_alarm" "gauges" {
  for_each = local.gauges

  alarm_name          = "${local.application_name}-${replace(each.key, "_", "-")}"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "${each.value.description}: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { Application = local.application_name }
  evaluation_periods  = each.value.periods
  metric_name         = each.value.metric
  namespace           = "AWS/KinesisAnalytics"
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = each.value.period
  statistic           = "Maximum"
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
}

resource "aws_cloudwatch_metric_alarm" "counters" {
  for_each = local.counters

  alarm_name          = "${local.application_name}-${replace(each.key, "_", "-")}"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "${each.value.description}: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 3
  ok_actions          = [var.settings.alerts_topic_arn]
  threshold           = 0
  treat_missing_data  = "notBreaching"

  metric_query {
    id = "total"

    metric {
      dimensions  = { Application = local.application_name }
      metric_name = each.value.metric
      namespace   = "AWS/KinesisAnalytics"
      period      = 300
      stat        = "Maximum"
    }
  }

  metric_query {
    id          = "rise"
    expression  = "DIFF(total)"
    label       = each.value.description
    return_data = true
  }
}

# Each stream and shard reports its own lag. The query finds the largest.
resource "aws_cloudwatch_metric_alarm" "behind" {
  alarm_name          = "${local.application_name}-behind"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "Events are read more than a minute after they were written: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 5
  ok_actions          = [var.settings.alerts_topic_arn]
  threshold           = 60000
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "lag"
    label       = "Milliseconds behind the stream's end"
    period      = 60
    return_data = true

    expression = join(" ", [
      "SELECT MAX(millisBehindLatest) FROM \"AWS/KinesisAnalytics\"",
      "WHERE Application = '${local.application_name}'",
    ])
  }
}

# Players who were offline send late events every day, so a share of drops is usual. A larger share is a loss.
resource "aws_cloudwatch_metric_alarm" "dropped_events" {
  alarm_name          = "${local.application_name}-dropped-events"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "A quarter of the events came too late for real-time windows: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 3
  ok_actions          = [var.settings.alerts_topic_arn]
  threshold           = 25
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "share"
    expression  = "100 * dropped / (dropped + counted)"
    label       = "Percent of events that no window counts"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = toset(["counted", "dropped"])

    content {
      id = metric_query.value

      metric {
        dimensions  = { service = "realtime_windows" }
        metric_name = "Events${title(metric_query.value)}"
        namespace   = var.settings.name_prefix
        period      = 300
        stat        = "Sum"
      }
    }
  }
}

# Names that clients make up fill the limits. Totals are right, but names with few events are counted as `other`.
resource "aws_cloudwatch_metric_alarm" "names_capped" {
  alarm_name          = "${local.application_name}-names-capped"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "A game has too many versions or other names a minute (`other` counts): ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { service = "realtime_windows" }
  evaluation_periods  = 3
  metric_name         = "MinutesCapped"
  namespace           = var.settings.name_prefix
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = 300
  statistic           = "Sum"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}

# EventBridge reports these metrics only when a delivery failed for good or the queue did not accept it.
resource "aws_cloudwatch_metric_alarm" "failed_alert_rule" {
  alarm_name          = "${aws_cloudwatch_event_rule.alerts.name}-rule-failed"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "EventBridge cannot publish alerts of games to the topic: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  ok_actions          = [var.settings.alerts_topic_arn]
  threshold           = 0
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "failed"
    expression  = "SUM(METRICS())"
    label       = "Alerts that were not published"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = toset(["FailedInvocations", "InvocationsFailedToBeSentToDlq"])

    content {
      id = lower(metric_query.value)

      metric {
        dimensions  = { RuleName = aws_cloudwatch_event_rule.alerts.name }
        metric_name = metric_query.value
        namespace   = "AWS/Events"
        period      = 300
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "undelivered_alerts" {
  alarm_name          = aws_sqs_queue.undelivered_alerts.name
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "Alerts of games could not be delivered: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { QueueName = aws_sqs_queue.undelivered_alerts.name }
  evaluation_periods  = 1
  metric_name         = "ApproximateNumberOfMessagesVisible"
  namespace           = "AWS/SQS"
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = 300
  statistic           = "Maximum"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}
