locals {
  policy_statements = {
    DecryptTables = {
      actions   = ["kms:Decrypt"]
      resources = [var.settings.kms_key_arns.credentials, var.settings.kms_key_arns.players]
    }
    ListGames = {
      actions   = ["dynamodb:Scan"]
      resources = [var.tables.games.arn]
    }
    QueryCounts = {
      actions   = ["dynamodb:Query"]
      resources = [var.tables.game_days.arn, var.tables.ingest_stats.arn]
    }
    QueryEvents = {
      actions   = ["dynamodb:Query"]
      resources = [var.tables.recent_events.arn]
    }
    QueryLeaderboards = {
      actions   = ["dynamodb:Query"]
      resources = [var.tables.boards.arn, var.leaderboards_by_rank_arn]
    }
    ReadEntries = {
      actions   = ["dynamodb:BatchGetItem"]
      resources = [var.tables.leaderboards.arn]
    }
    QueryWindows = {
      actions   = ["dynamodb:GetItem", "dynamodb:Query"]
      resources = [var.tables.quality.arn, var.tables.realtime.arn]
    }
    ReadItems = {
      actions   = ["dynamodb:GetItem"]
      resources = [var.tables.games.arn, var.tables.players.arn]
    }
  }
}
