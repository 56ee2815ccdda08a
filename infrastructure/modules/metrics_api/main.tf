module "metrics_api" {
  source = "../lambda_function"

  description       = "Answers queries of metrics, players and leaderboards."
  name              = "metrics_api"
  policy_statements = local.policy_statements
  settings          = var.settings
  sizing            = var.sizing

  environment = {
    # API Gateway refuses requests for data without a signature or a token, whatever host they name.
    ALLOWED_HOSTS         = jsonencode(["*"])
    ATHENA_WORKGROUP      = aws_athena_workgroup.this.name
    BOARDS_TABLE          = var.tables.boards.name
    GAME_DAYS_TABLE       = var.tables.game_days.name
    GAMES_TABLE           = var.tables.games.name
    INGEST_STATS_TABLE    = var.tables.ingest_stats.name
    INGEST_URL            = var.ingest_url
    LAKE_DATABASE         = var.lake.database
    LEADERBOARDS_TABLE    = var.tables.leaderboards.name
    PLAYERS_TABLE         = var.tables.players.name
    QUALITY_TABLE         = var.tables.quality.name
    REALTIME_TABLE        = var.tables.realtime.name
    RECENT_EVENTS_TABLE   = var.tables.recent_events.name
    SAVED_QUESTIONS_TABLE = module.saved_questions.table.name
    SIGN_IN_CLIENT_ID     = try(var.sign_in[0].id, "")
    SIGN_IN_ISSUER        = try(var.sign_in[0].issuer, "")
    SIGN_IN_SCOPE         = try(var.sign_in[0].scope, "")
    SIGN_IN_URL           = try(var.sign_in[0].url, "")
  }
}

# The one table that the function writes. Titles and filters are free text of people.
module "saved_questions" {
  source = "../dynamodb_table"

  alerts_topic_arn = var.settings.alerts_topic_arn
  hash_key         = "game_id"
  kms_key_arn      = var.settings.kms_key_arns.players
  name             = "${var.settings.name_prefix}-saved-questions"
  protection       = var.protection
  range_key        = "name"
}

resource "aws_lambda_permission" "api" {
  statement_id  = "AllowApi"
  action        = "lambda:InvokeFunction"
  function_name = module.metrics_api.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}
