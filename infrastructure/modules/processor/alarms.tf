locals {
  runbook = "docs/runbooks/processor-reject-rate.md"
}

# One alarm watches all games: each game is a contributor of its own, so new games are watched too.
resource "aws_cloudwatch_metric_alarm" "reject_rate" {
  alarm_name          = "${var.settings.name_prefix}-processor-reject-rate"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "More than ${var.reject_rate_alarm.percent} % of a game's events are rejected: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  datapoints_to_alarm = var.reject_rate_alarm.periods
  evaluation_periods  = var.reject_rate_alarm.periods
  ok_actions          = [var.settings.alerts_topic_arn]
  threshold           = var.reject_rate_alarm.percent
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "rate"
    label       = "Rejected events in percent, by game"
    period      = 300
    return_data = true

    expression = join(" ", [
      "SELECT AVG(RejectRate) FROM SCHEMA(\"${var.settings.name_prefix}\", game_id, service)",
      "GROUP BY game_id ORDER BY AVG() DESC",
    ])
  }
}
