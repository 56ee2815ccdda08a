module "player_state" {
  source = "../stream_consumer"

  consumer          = var.consumer
  description       = "Keeps each player's state and the days of each game."
  name              = "player_state"
  name_limits       = var.name_limits
  policy_statements = local.policy_statements
  settings          = var.settings
  stream_arn        = var.enriched_stream_arn

  environment = {
    GAME_DAYS_TABLE = module.game_days.table.name
    PLAYERS_TABLE   = module.players.table.name
  }
}
