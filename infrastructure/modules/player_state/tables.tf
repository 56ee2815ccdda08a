# The definitions of boards: written by people, read by player_state and the metrics API.
resource "aws_dynamodb_table" "boards" {
  name                        = "${var.settings.name_prefix}-boards"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = var.protection.deletion
  hash_key                    = "game_id"
  range_key                   = "board_id"

  attribute {
    name = "game_id"
    type = "S"
  }

  attribute {
    name = "board_id"
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.protection.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.settings.kms_key_arns.operations
  }
}

resource "aws_dynamodb_table" "game_days" {
  name                        = "${var.settings.name_prefix}-game-days"
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

resource "aws_dynamodb_table" "leaderboards" {
  name                        = "${var.settings.name_prefix}-leaderboards"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = var.protection.deletion
  hash_key                    = "board"
  range_key                   = "player_id"

  attribute {
    name = "board"
    type = "S"
  }

  attribute {
    name = "player_id"
    type = "S"
  }

  attribute {
    name = "rank_key"
    type = "S"
  }

  # The rank key tells player, score and time; what an entry remembers would be written twice.
  global_secondary_index {
    name            = "by_rank"
    hash_key        = "board"
    projection_type = "KEYS_ONLY"
    range_key       = "rank_key"
  }

  point_in_time_recovery {
    enabled = var.protection.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.settings.kms_key_arns.players
  }

  # Archived periods end.
  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }
}

resource "aws_dynamodb_table" "players" {
  name                        = "${var.settings.name_prefix}-players"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = var.protection.deletion
  hash_key                    = "player"

  attribute {
    name = "player"
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.protection.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.settings.kms_key_arns.players
  }
}
