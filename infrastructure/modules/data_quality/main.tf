locals {
  name = "${var.settings.name_prefix}-data-quality"

  policy_statements = {
    DecryptFacts = {
      actions   = ["kms:Decrypt"]
      resources = [var.settings.kms_key_arns.credentials, var.settings.kms_key_arns.events]
    }
    FindAudits = {
      actions   = ["s3:ListBucket"]
      resources = [var.lake.arn]
    }
    KeepVerdicts = {
      actions   = ["dynamodb:PutItem"]
      resources = [module.quality.table.arn]
    }
    ListGames = {
      actions   = ["dynamodb:Scan"]
      resources = [var.tables.games.arn]
    }
    QueryCounts = {
      actions   = ["dynamodb:Query"]
      resources = [var.tables.game_days.arn, var.tables.ingest_stats.arn, var.tables.realtime.arn]
    }
    ReadAudits = {
      actions   = ["s3:GetObject"]
      resources = ["${var.lake.arn}/batch/runs/*/audit.json"]
    }
  }
}

module "function" {
  source = "../scheduled_function"

  account_id        = var.account_id
  description       = "Checks each game's data."
  enabled           = var.enabled
  name              = "data_quality"
  policy_statements = local.policy_statements
  runbook           = "docs/runbooks/data-quality.md"
  schedules         = { hour = { expression = "cron(50 * * * ? *)" } }
  settings          = var.settings
  sizing            = { memory_mb = 512, timeout_seconds = 300 }

  environment = {
    GAME_DAYS_TABLE     = var.tables.game_days.name
    GAMES_TABLE         = var.tables.games.name
    HISTORY_EVERY_HOURS = var.history_every_hours
    INGEST_STATS_TABLE  = var.tables.ingest_stats.name
    LAKE_BUCKET         = var.lake.name
    QUALITY_TABLE       = module.quality.table.name
    REALTIME_TABLE      = var.tables.realtime.name
  }
}

module "quality" {
  source = "../dynamodb_table"

  alerts_topic_arn = var.settings.alerts_topic_arn
  expires          = true
  hash_key         = "game_id"
  kms_key_arn      = var.settings.kms_key_arns.operations
  name             = "${var.settings.name_prefix}-quality"
  protection       = var.protection
  range_key        = "checked_at"
}

# Missing data is not an alarm: the function's own alarms report runs that do not happen.
resource "aws_cloudwatch_metric_alarm" "checks" {
  alarm_name          = "${local.name}-checks"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "A game's data failed a check: docs/runbooks/data-quality.md"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { service = "data_quality" }
  evaluation_periods  = 1
  metric_name         = "QualityChecksFailed"
  namespace           = var.settings.name_prefix
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = 3600
  statistic           = "Maximum"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}
