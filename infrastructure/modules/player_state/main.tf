module "player_state" {
  source = "../stream_consumer"

  consumer          = var.consumer
  description       = "Keeps each player's state and the days of each game."
  name              = "player_state"
  policy_statements = local.policy_statements
  settings          = var.settings
  stream_arn        = var.enriched_stream_arn

  environment = {
    GAME_DAYS_TABLE = module.game_days.table.name
    NAME_LIMITS     = jsonencode(var.name_limits)
    PLAYERS_TABLE   = module.players.table.name
  }
}
