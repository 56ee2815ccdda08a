mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  consumer            = { batch_size = 500, batch_window_seconds = 1, memory_mb = 1024, timeout_seconds = 60 }
  enriched_stream_arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/enriched"
  protection          = { deletion = true, point_in_time_recovery = true }
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
      for table in [module.game_days, module.players] :
      table.configuration.deletion_protection && table.configuration.point_in_time_recovery
    ])
    error_message = "Each table must be protected."
  }

  assert {
    condition = {
      game_days = module.game_days.configuration.kms_key_arn
      players   = module.players.configuration.kms_key_arn
      } == {
      game_days = var.settings.kms_key_arns.operations
      players   = var.settings.kms_key_arns.players
    }
    error_message = "Tables that name players have a key of their own."
  }

  assert {
    condition = {
      for name, table in {
        game_days = module.game_days.configuration
        players   = module.players.configuration
      } : name => join(", ", compact([table.hash_key, table.range_key]))
      } == {
      game_days = "game_day, shard"
      players   = "player"
    }
    error_message = "Each table must be keyed as player_state writes it."
  }

  assert {
    condition     = module.game_days.configuration.expires && !module.players.configuration.expires
    error_message = "Days expire; players stay."
  }
}

run "name_limits" {
  command = plan

  variables {
    name_limits = { late_names = 7, levels = 300 }
  }

  assert {
    condition = jsondecode(module.player_state.environment.NAME_LIMITS) == {
      ads = 100, designs = 200, devices = 50, flows = 200, late_names = 7, levels = 300, versions = 50
    }
    error_message = "The function must get the limits, and defaults where none are set."
  }
}
