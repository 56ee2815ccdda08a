mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  alerts_topic_arn = "arn:aws:sns:eu-west-1:111122223333:alerts"
  hash_key         = "board"
  kms_key_arn      = "arn:aws:kms:eu-west-1:111122223333:key/players"
  name             = "demo-test-leaderboards"
  protection       = { deletion = true, point_in_time_recovery = true }
}

run "indexed" {
  command = plan

  variables {
    expires   = true
    indexes   = { by_rank = { hash_key = "board", range_key = "rank_key" } }
    range_key = "player_id"
  }

  assert {
    condition = (
      jsonencode(output.configuration) ==
      jsonencode({
        deletion_protection = true
        expires             = true
        hash_key            = "board"
        indexes = {
          by_rank = { hash_key = "board", projection_type = "KEYS_ONLY", range_key = "rank_key" }
        }
        kms_key_arn            = var.kms_key_arn
        point_in_time_recovery = true
        range_key              = "player_id"
      })
    )
    error_message = "The table must be keyed, indexed, encrypted and protected as its variables say."
  }

  assert {
    condition = { for one in aws_dynamodb_table.this.attribute : one.name => one.type } == {
      board     = "S"
      player_id = "S"
      rank_key  = "S"
    }
    error_message = "Every attribute of a key is declared once, and no other."
  }

  assert {
    condition = aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST" && (
      output.table.name == var.name && output.index_arns == { by_rank = "${output.table.arn}/index/by_rank" }
    )
    error_message = "The table is billed by request. Its owner must find it and its index."
  }

  assert {
    condition = {
      for name, alarm in aws_cloudwatch_metric_alarm.throttles :
      name => tomap(merge(alarm.dimensions, { metric = alarm.metric_name }))
      } == {
      for alarm in [
        { index = "", metric = "ReadThrottleEvents", name = "read" },
        { index = "", metric = "WriteThrottleEvents", name = "write" },
        { index = "by_rank", metric = "ReadThrottleEvents", name = "by-rank-read" },
        { index = "by_rank", metric = "WriteThrottleEvents", name = "by-rank-write" },
      ] :
      "demo-test-leaderboards-${alarm.name}-throttles" => tomap(merge(
        { TableName = "demo-test-leaderboards", metric = alarm.metric },
        alarm.index == "" ? {} : { GlobalSecondaryIndexName = alarm.index },
      ))
    }
    error_message = "Reads and writes of the table and of its index must be watched."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.throttles :
      alarm.alarm_actions == toset([var.alerts_topic_arn]) && alarm.threshold == 10 && alarm.namespace == "AWS/DynamoDB"
      && endswith(alarm.alarm_description, ": docs/runbooks/dynamodb-table.md")
    ])
    error_message = "Each alarm must report, and name its runbook."
  }
}

run "plain" {
  command = plan

  variables {
    protection = { deletion = false, point_in_time_recovery = false }
  }

  assert {
    condition = jsonencode(output.configuration) == jsonencode({
      deletion_protection    = false
      expires                = false
      hash_key               = "board"
      indexes                = {}
      kms_key_arn            = var.kms_key_arn
      point_in_time_recovery = false
      range_key              = null
    })
    error_message = "A table without options has one key, keeps its items, and is encrypted all the same."
  }

  assert {
    condition     = length(output.alarms) == 2 && length(output.index_arns) == 0
    error_message = "Without an index, only the table is watched."
  }
}

run "index_with_one_key" {
  command         = plan
  expect_failures = [var.indexes]

  variables {
    indexes = { by_rank = { hash_key = "board", range_key = "board" } }
  }
}
