module "function" {
  source = "../stream_consumer"

  consumer          = var.consumer
  description       = "Keeps the leaderboards."
  name              = "leaderboards"
  name_limits       = var.name_limits
  policy_statements = local.policy_statements
  settings          = var.settings
  stream_arn        = var.enriched_stream_arn

  environment = {
    BOARDS_TABLE       = module.boards.table.name
    GAME_DAYS_TABLE    = var.game_days_table.name
    LEADERBOARDS_TABLE = module.leaderboards.table.name
  }

  # A score costs up to five times the writes of another event. Four batches of a shard at once keep a game's scores
  # from delaying those of another game more than twice as long as plain events would. An entry does not depend on the
  # order of its scores (docs/adr/0035-a-consumer-for-scores.md).
  batches_at_once = 4
  event_types     = ["score_submitted"]
}
