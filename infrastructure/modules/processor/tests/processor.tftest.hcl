mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  consumer        = { batch_size = 2000, batch_window_seconds = 1, memory_mb = 1769, timeout_seconds = 120 }
  enriched_stream = { arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/enriched", name = "enriched" }
  games_table     = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/games", name = "games" }
  protection      = { deletion = true, point_in_time_recovery = true }
  raw_stream_arn  = "arn:aws:kinesis:eu-west-1:111122223333:stream/raw"

  delivery_streams = {
    bronze   = { arn = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/bronze", name = "bronze" }
    rejected = { arn = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/rejected", name = "rejected" }
  }
}

run "resources" {
  command = plan

  assert {
    condition = { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Action } == {
      ClaimEvents     = ["dynamodb:UpdateItem"]
      CountEvents     = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      DecryptAtRest   = ["kms:Decrypt"]
      DecryptRecords  = ["kms:Decrypt"]
      DecryptTables   = ["kms:Decrypt"]
      DeliverToLake   = ["firehose:PutRecordBatch"]
      EncryptEvents   = ["kms:GenerateDataKey"]
      EncryptFailures = ["kms:GenerateDataKey"]
      PublishEvents   = ["kinesis:PutRecords"]
      ReadGames       = ["dynamodb:BatchGetItem"]
      ReadStream = [
        "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords",
        "kinesis:GetShardIterator", "kinesis:ListShards",
      ]
      ReportFailures = ["sqs:SendMessage"]
      ShowEvents     = ["dynamodb:BatchWriteItem"]
      WriteLogs      = ["logs:CreateLogStream", "logs:PutLogEvents"]
    }
    error_message = "The processor must have these actions and no others."
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
        DecryptRecords  = [var.settings.kms_key_arns.events]
        DecryptTables   = [var.settings.kms_key_arns.credentials, var.settings.kms_key_arns.players]
        EncryptEvents   = [var.settings.kms_key_arns.events]
        EncryptFailures = [var.settings.kms_key_arns.operations]
      }
    )
    error_message = "It may use the keys of what it touches, and no other."
  }

  assert {
    condition = (
      one(
        [for statement in jsondecode(output.policy).Statement : statement.Resource if statement.Sid == "PublishEvents"]
      ) ==
      [var.enriched_stream.arn]
    )
    error_message = "The processor may write to the enriched stream only."
  }

  assert {
    condition = alltrue([
      for table in [module.dedupe, module.ingest_stats, module.recent_events] :
      table.configuration.expires && table.configuration.deletion_protection
      && table.configuration.point_in_time_recovery
    ])
    error_message = "All tables must expire items and be protected."
  }

  assert {
    condition = (
      module.dedupe.configuration.kms_key_arn == var.settings.kms_key_arns.operations
      && module.ingest_stats.configuration.kms_key_arn == var.settings.kms_key_arns.operations
      && module.recent_events.configuration.kms_key_arn == var.settings.kms_key_arns.players
    )
    error_message = "The table that names players must be encrypted with their key, the others with that of operations."
  }

  assert {
    condition = (
      module.dedupe.configuration.hash_key == "bucket"
      && module.dedupe.configuration.range_key == null
      && module.ingest_stats.configuration.hash_key == "game_day"
      && module.ingest_stats.configuration.range_key == "shard"
      && module.recent_events.configuration.hash_key == "game_id"
      && module.recent_events.configuration.range_key == "batch"
    )
    error_message = "Event ids are kept by bucket, counts by game, day and shard, recent events by game and batch."
  }

  assert {
    condition = (
      one(aws_cloudwatch_metric_alarm.reject_rate.metric_query).expression ==
      "SELECT AVG(RejectRate) FROM SCHEMA(\"demo-test\", game_id, service) GROUP BY game_id ORDER BY AVG() DESC"
    )
    error_message = "The alarm must watch each game by the metric that the processor writes."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.reject_rate.alarm_actions == toset([var.settings.alerts_topic_arn])
      && aws_cloudwatch_metric_alarm.reject_rate.threshold == 5
      && aws_cloudwatch_metric_alarm.reject_rate.treat_missing_data == "notBreaching"
    )
    error_message = "The alarm must report, and silence is no reject."
  }
}

run "alarm_that_never_rings" {
  command         = plan
  expect_failures = [var.reject_rate_alarm]

  variables {
    reject_rate_alarm = { percent = 100, periods = 1 }
  }
}

run "window_shorter_than_retries" {
  command         = plan
  expect_failures = [var.dedupe_window_hours]

  variables {
    dedupe_window_hours = 12
  }
}
