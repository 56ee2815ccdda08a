module "function" {
  source = "../scheduled_function"

  account_id        = var.account.id
  description       = "Erases late data of players that were erased before."
  enabled           = var.enabled
  name              = "privacy"
  policy_statements = local.policy_statements
  runbook           = "docs/runbooks/privacy.md"
  schedules         = { night = { expression = "cron(35 3 * * ? *)" } }
  settings          = var.settings
  sizing            = { memory_mb = 1769, timeout_seconds = 900 }

  environment = {
    ATHENA_WORKGROUP    = var.silver.workgroup
    GAMES_TABLE         = var.tables.games.name
    LAKE_BUCKET         = var.lake.name
    LAKE_DATABASE       = var.silver.database
    LEADERBOARDS_TABLE  = var.tables.leaderboards.name
    PLAYERS_TABLE       = var.tables.players.name
    RECENT_EVENTS_TABLE = var.tables.recent_events.name
    WAREHOUSE_FUNCTION  = var.warehouse_function.name
  }
}
