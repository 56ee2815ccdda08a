# One alarm for all games: each game is a contributor of its own, new games join by themselves.
resource "aws_cloudwatch_metric_alarm" "reject_rate" {
  alarm_name          = "${var.settings.name_prefix}-reject-rate"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "A game's events are rejected at a rate above ${var.reject_rate_alarm.percent} %: docs/runbooks/reject-rate.md"
  comparison_operator = "GreaterThanThreshold"
  datapoints_to_alarm = var.reject_rate_alarm.periods
  evaluation_periods  = var.reject_rate_alarm.periods
  ok_actions          = [var.settings.alerts_topic_arn]
  threshold           = var.reject_rate_alarm.percent
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "rate"
    expression  = "SELECT AVG(RejectRate) FROM SCHEMA(\"${var.settings.name_prefix}\", game_id, service) GROUP BY game_id ORDER BY AVG() DESC"
    label       = "Rejected events in percent, by game"
    period      = 300
    return_data = true
  }
}

module "table_alarms" {
  source = "../table_alarms"

  alerts_topic_arn = var.settings.alerts_topic_arn
  tables           = [aws_dynamodb_table.dedupe.name, aws_dynamodb_table.ingest_stats.name]
}
