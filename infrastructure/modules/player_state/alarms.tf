# Names that clients make up fill the limits: counters are right, but new names are counted as `other`.
resource "aws_cloudwatch_metric_alarm" "names_capped" {
  alarm_name          = "${var.settings.name_prefix}-player-state-names-capped"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "A game has too many names a day (`other` counts): docs/runbooks/names-capped.md"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { service = "player_state" }
  evaluation_periods  = 3
  metric_name         = "EventsCapped"
  namespace           = var.settings.name_prefix
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = 300
  statistic           = "Sum"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}
