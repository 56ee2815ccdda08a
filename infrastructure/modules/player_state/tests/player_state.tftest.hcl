mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  consumer            = { batch_size = 500, batch_window_seconds = 1, memory_mb = 1024, timeout_seconds = 60 }
  enriched_stream_arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/enriched"
  protection          = { deletion = true, point_in_time_recovery = true }

  settings = {
    alerts_topic_arn   = "arn:aws:sns:eu-west-1:111122223333:alerts"
    kms_key_arns       = { events = "arn:aws:kms:eu-west-1:111122223333:key/events", operations = "arn:aws:kms:eu-west-1:111122223333:key/operations", players = "arn:aws:kms:eu-west-1:111122223333:key/players" }
    layer_arns         = []
    log_level          = "INFO"
    log_retention_days = 30
    name_prefix        = "demo-test"
    packages_directory = "../../testing/packages"
    tracing            = false
  }
}

run "store" {
  command = plan

  assert {
    condition = { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Action } == {
      CountDays       = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      DecryptAtRest   = ["kms:Decrypt"]
      DecryptPlayers  = ["kms:Decrypt"]
      DecryptRecords  = ["kms:Decrypt"]
      EncryptFailures = ["kms:GenerateDataKey"]
      KeepPlayers     = ["dynamodb:BatchGetItem", "dynamodb:PutItem"]
      RankPlayers     = ["dynamodb:BatchGetItem", "dynamodb:PutItem"]
      ReadBoards      = ["dynamodb:Query"]
      ReadStream = [
        "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords",
        "kinesis:GetShardIterator", "kinesis:ListShards",
      ]
      ReportFailures = ["sqs:SendMessage"]
      WriteLogs      = ["logs:CreateLogStream", "logs:PutLogEvents"]
    }
    error_message = "player_state must have these actions and no others."
  }

  assert {
    condition = { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Resource if startswith(statement.Action[0], "kms:") } == {
      DecryptAtRest   = [var.settings.kms_key_arns.operations]
      DecryptPlayers  = [var.settings.kms_key_arns.players]
      DecryptRecords  = [var.settings.kms_key_arns.events]
      EncryptFailures = [var.settings.kms_key_arns.operations]
    }
    error_message = "It may use the keys of what it touches, and no other."
  }

  assert {
    condition = alltrue([
      for table in [aws_dynamodb_table.boards, aws_dynamodb_table.game_days, aws_dynamodb_table.leaderboards, aws_dynamodb_table.players] : (
        table.deletion_protection_enabled && table.point_in_time_recovery[0].enabled
        && table.server_side_encryption[0].kms_key_arn == var.settings.kms_key_arns[contains(["demo-test-leaderboards", "demo-test-players"], table.name) ? "players" : "operations"]
      )
    ])
    error_message = "Each table must be protected and encrypted, those of players with a key of their own."
  }

  assert {
    condition = one([
      for index in aws_dynamodb_table.leaderboards.global_secondary_index : "${index.hash_key}/${index.range_key}/${index.projection_type}"
      if index.name == "by_rank"
    ]) == "board/rank_key/KEYS_ONLY"
    error_message = "Leaderboards are read by rank."
  }

  assert {
    condition = aws_dynamodb_table.players.hash_key == "player" && alltrue([
      for table in [aws_dynamodb_table.game_days, aws_dynamodb_table.leaderboards] : table.ttl[0].enabled && table.ttl[0].attribute_name == "expires_at"
    ])
    error_message = "Players are keyed by player; days and archived boards expire."
  }
}

run "name_limits" {
  command = plan

  variables {
    name_limits = { levels = 300 }
  }

  assert {
    condition = jsondecode(module.player_state.environment.NAME_LIMITS) == {
      devices = 50, flows = 200, levels = 300, versions = 50
    }
    error_message = "The function must get the limits, and defaults where none are set."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.names_capped.metric_name == "EventsCapped"
      && aws_cloudwatch_metric_alarm.names_capped.dimensions == tomap({ service = "player_state" })
    )
    error_message = "An alarm must say that names are counted as `other`."
  }
}

run "too_many_names" {
  command = plan

  variables {
    name_limits = { versions = 1001 }
  }

  expect_failures = [var.name_limits]
}

run "no_names" {
  command = plan

  variables {
    name_limits = { flows = 0 }
  }

  expect_failures = [var.name_limits]
}
