# Clients make up names of boards until the limit is reached: a score with a further name feeds defined boards only.
resource "aws_cloudwatch_metric_alarm" "names_capped" {
  alarm_name          = "${var.settings.name_prefix}-leaderboards-names-capped"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "A game has too many boards without a definition: docs/runbooks/names-capped.md"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { service = "leaderboards" }
  evaluation_periods  = 3
  metric_name         = "EventsCapped"
  namespace           = var.settings.name_prefix
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = 300
  statistic           = "Sum"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}
