module "games" {
  source = "../dynamodb_table"

  alerts_topic_arn = var.alerts_topic_arn
  hash_key         = "game_id"
  kms_key_arn      = var.kms_key_arn
  name             = "${var.name_prefix}-games"
  protection       = var.protection
}
