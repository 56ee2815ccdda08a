# Definitions of boards. People write them; the function and the metrics API read them.
module "boards" {
  source = "../dynamodb_table"

  alerts_topic_arn = var.settings.alerts_topic_arn
  hash_key         = "game_id"
  kms_key_arn      = var.settings.kms_key_arns.operations
  name             = "${var.settings.name_prefix}-boards"
  protection       = var.protection
  range_key        = "board_id"
}

# The rank key holds player, score and time, so the index needs no attribute but its keys. Archived periods expire.
module "leaderboards" {
  source = "../dynamodb_table"

  alerts_topic_arn = var.settings.alerts_topic_arn
  expires          = true
  hash_key         = "board"
  indexes          = { by_rank = { hash_key = "board", range_key = "rank_key" } }
  kms_key_arn      = var.settings.kms_key_arns.players
  name             = "${var.settings.name_prefix}-leaderboards"
  protection       = var.protection
  range_key        = "player_id"
}
