module "game_days" {
  source = "../dynamodb_table"

  alerts_topic_arn = var.settings.alerts_topic_arn
  expires          = true
  hash_key         = "game_day"
  kms_key_arn      = var.settings.kms_key_arns.operations
  name             = "${var.settings.name_prefix}-game-days"
  protection       = var.protection
  range_key        = "shard"
}

module "players" {
  source = "../dynamodb_table"

  alerts_topic_arn = var.settings.alerts_topic_arn
  hash_key         = "player"
  kms_key_arn      = var.settings.kms_key_arns.players
  name             = "${var.settings.name_prefix}-players"
  protection       = var.protection
}
