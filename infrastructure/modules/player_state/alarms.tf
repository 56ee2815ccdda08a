module "table_alarms" {
  source = "../table_alarms"

  alerts_topic_arn = var.settings.alerts_topic_arn
  indexes          = { (aws_dynamodb_table.leaderboards.name) = "by_rank" }

  tables = [
    aws_dynamodb_table.boards.name,
    aws_dynamodb_table.game_days.name,
    aws_dynamodb_table.leaderboards.name,
    aws_dynamodb_table.players.name,
  ]
}
