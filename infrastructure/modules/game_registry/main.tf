resource "aws_dynamodb_table" "games" {
  name                        = "${var.name_prefix}-games"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = var.protection.deletion
  hash_key                    = "game_id"

  attribute {
    name = "game_id"
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.protection.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}

module "table_alarms" {
  source = "../table_alarms"

  alerts_topic_arn = var.alerts_topic_arn
  tables           = [aws_dynamodb_table.games.name]
}
