module "processor" {
  source = "../stream_consumer"

  consumer          = var.consumer
  count_records     = true
  description       = "Validates, enriches and deduplicates the raw events; rejects go on with a reason."
  name              = "processor"
  policy_statements = local.policy_statements
  settings          = var.settings
  stream_arn        = var.raw_stream_arn

  environment = {
    BRONZE_DELIVERY_STREAM   = var.delivery_streams.bronze.name
    DEDUPE_TABLE             = aws_dynamodb_table.dedupe.name
    DEDUPE_WINDOW_HOURS      = var.dedupe_window_hours
    ENRICHED_STREAM          = var.enriched_stream.name
    GAMES_TABLE              = var.games_table.name
    INGEST_STATS_TABLE       = aws_dynamodb_table.ingest_stats.name
    REJECTED_DELIVERY_STREAM = var.delivery_streams.rejected.name
  }
}

resource "aws_dynamodb_table" "dedupe" {
  name                        = "${var.settings.name_prefix}-dedupe"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = var.protection.deletion
  hash_key                    = "bucket"

  attribute {
    name = "bucket"
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.protection.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.settings.kms_key_arns.operations
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }
}

resource "aws_dynamodb_table" "ingest_stats" {
  name                        = "${var.settings.name_prefix}-ingest-stats"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = var.protection.deletion
  hash_key                    = "game_day"
  range_key                   = "shard"

  attribute {
    name = "game_day"
    type = "S"
  }

  attribute {
    name = "shard"
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.protection.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.settings.kms_key_arns.operations
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }
}
