mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  consumer            = { batch_size = 500, batch_window_seconds = 1, memory_mb = 1024, timeout_seconds = 60 }
  enriched_stream_arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/enriched"
  game_days_table     = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/days", name = "days" }
  protection          = { deletion = true, point_in_time_recovery = true }
}

run "store" {
  command = plan

  assert {
    condition = { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Action } == {
      AdmitNames      = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      DecryptAtRest   = ["kms:Decrypt"]
      DecryptPlayers  = ["kms:Decrypt"]
      DecryptRecords  = ["kms:Decrypt"]
      EncryptFailures = ["kms:GenerateDataKey"]
      RankPlayers     = ["dynamodb:BatchGetItem", "dynamodb:PutItem"]
      ReadBoards      = ["dynamodb:Query"]
      ReadStream = [
        "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords",
        "kinesis:GetShardIterator", "kinesis:ListShards",
      ]
      ReportFailures = ["sqs:SendMessage"]
      WriteLogs      = ["logs:CreateLogStream", "logs:PutLogEvents"]
    }
    error_message = "leaderboards must have these actions and no others."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(output.policy).Statement :
        statement.Sid => statement.Resource
        if startswith(statement.Action[0], "kms:")
      } ==
      {
        DecryptAtRest   = [var.settings.kms_key_arns.operations]
        DecryptPlayers  = [var.settings.kms_key_arns.players]
        DecryptRecords  = [var.settings.kms_key_arns.events]
        EncryptFailures = [var.settings.kms_key_arns.operations]
      }
    )
    error_message = "It may use the keys of what it touches, and no other."
  }

  assert {
    condition = alltrue([
      for table in [module.boards, module.leaderboards] :
      table.configuration.deletion_protection && table.configuration.point_in_time_recovery
    ])
    error_message = "Each table must be protected."
  }

  assert {
    condition = (
      module.boards.configuration.kms_key_arn == var.settings.kms_key_arns.operations
      && module.leaderboards.configuration.kms_key_arn == var.settings.kms_key_arns.players
    )
    error_message = "Tables that name players have a key of their own."
  }

  assert {
    condition = {
      for name, table in {
        boards       = module.boards.configuration
        leaderboards = module.leaderboards.configuration
      } : name => "${table.hash_key}, ${table.range_key}"
    } == { boards = "game_id, board_id", leaderboards = "board, player_id" }
    error_message = "Each table must be keyed as leaderboards writes it."
  }

  assert {
    condition = module.leaderboards.configuration.indexes == {
      by_rank = { hash_key = "board", projection_type = "KEYS_ONLY", range_key = "rank_key" }
    }
    error_message = "Leaderboards are read by rank."
  }

  assert {
    condition     = module.leaderboards.configuration.expires && !module.boards.configuration.expires
    error_message = "Archived boards expire; definitions stay."
  }
}

run "name_limits" {
  command = plan

  variables {
    name_limits = { boards = 300 }
  }

  assert {
    condition     = jsondecode(module.function.environment.NAME_LIMITS) == { boards = 300 }
    error_message = "The function must get the limit."
  }
}
