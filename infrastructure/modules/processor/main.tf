module "processor" {
  source = "../stream_consumer"

  consumer          = var.consumer
  description       = "Validates, enriches and deduplicates raw events. Rejected events are kept with a reason."
  name              = "processor"
  policy_statements = local.policy_statements
  settings          = var.settings
  stream_arn        = var.raw_stream_arn

  environment = {
    BRONZE_DELIVERY_STREAM   = var.delivery_streams.bronze.name
    DEDUPE_TABLE             = module.dedupe.table.name
    DEDUPE_WINDOW_HOURS      = var.dedupe_window_hours
    ENRICHED_STREAM          = var.enriched_stream.name
    GAMES_TABLE              = var.games_table.name
    INGEST_STATS_TABLE       = module.ingest_stats.table.name
    RECENT_EVENTS_TABLE      = module.recent_events.table.name
    REJECTED_DELIVERY_STREAM = var.delivery_streams.rejected.name
  }
}

module "dedupe" {
  source = "../dynamodb_table"

  alerts_topic_arn = var.settings.alerts_topic_arn
  expires          = true
  hash_key         = "bucket"
  kms_key_arn      = var.settings.kms_key_arns.operations
  name             = "${var.settings.name_prefix}-dedupe"
  protection       = var.protection
}

module "ingest_stats" {
  source = "../dynamodb_table"

  alerts_topic_arn = var.settings.alerts_topic_arn
  expires          = true
  hash_key         = "game_day"
  kms_key_arn      = var.settings.kms_key_arns.operations
  name             = "${var.settings.name_prefix}-ingest-stats"
  protection       = var.protection
  range_key        = "shard"
}

# It holds players' ids and what clients sent, so that it has the key of players.
module "recent_events" {
  source = "../dynamodb_table"

  alerts_topic_arn = var.settings.alerts_topic_arn
  expires          = true
  hash_key         = "game_id"
  kms_key_arn      = var.settings.kms_key_arns.players
  name             = "${var.settings.name_prefix}-recent-events"
  protection       = var.protection
  range_key        = "batch"
}
