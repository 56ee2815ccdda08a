mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  alerts_topic_arn = "arn:aws:sns:eu-west-1:111122223333:alerts"
  indexes          = { boards = "by_rank" }
  tables           = ["boards", "players"]
}

run "alarms" {
  command = plan

  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.this : name => tomap(merge(alarm.dimensions, { metric = alarm.metric_name })) } == {
      boards-by-rank-read-throttles  = tomap({ GlobalSecondaryIndexName = "by_rank", TableName = "boards", metric = "ReadThrottleEvents" })
      boards-by-rank-write-throttles = tomap({ GlobalSecondaryIndexName = "by_rank", TableName = "boards", metric = "WriteThrottleEvents" })
      boards-read-throttles          = tomap({ TableName = "boards", metric = "ReadThrottleEvents" })
      boards-write-throttles         = tomap({ TableName = "boards", metric = "WriteThrottleEvents" })
      players-read-throttles         = tomap({ TableName = "players", metric = "ReadThrottleEvents" })
      players-write-throttles        = tomap({ TableName = "players", metric = "WriteThrottleEvents" })
    }
    error_message = "Reads and writes of each table and index must be watched."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.this :
      alarm.alarm_actions == toset([var.alerts_topic_arn]) && alarm.threshold == 10 && alarm.namespace == "AWS/DynamoDB"
      && endswith(alarm.alarm_description, ": docs/runbooks/tables.md")
    ])
    error_message = "Each alarm must report, and name its runbook."
  }
}

run "index_of_no_table" {
  command         = plan
  expect_failures = [var.indexes]

  variables {
    indexes = { games = "by_name" }
  }
}
