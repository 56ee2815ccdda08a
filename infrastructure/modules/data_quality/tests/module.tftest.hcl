mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account_id          = "111122223333"
  history_every_hours = 24
  lake                = { arn = "arn:aws:s3:::demo-test-lake", name = "demo-test-lake" }
  protection          = { deletion = true, point_in_time_recovery = true }

  tables = {
    game_days    = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/game-days", name = "game-days" }
    games        = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/games", name = "games" }
    ingest_stats = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/ingest-stats", name = "ingest-stats" }
    realtime     = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/realtime", name = "realtime" }
  }
}

run "resources" {
  command = plan

  assert {
    condition = { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Action } == {
      DecryptAtRest  = ["kms:Decrypt"]
      DecryptFacts   = ["kms:Decrypt"]
      Encrypt        = ["kms:GenerateDataKey"]
      FindAudits     = ["s3:ListBucket"]
      KeepVerdicts   = ["dynamodb:PutItem"]
      ListGames      = ["dynamodb:Scan"]
      QueryCounts    = ["dynamodb:Query"]
      ReadAudits     = ["s3:GetObject"]
      ReportFailures = ["sqs:SendMessage"]
      WriteLogs      = ["logs:CreateLogStream", "logs:PutLogEvents"]
    }
    error_message = "The function must have these actions and no others."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(output.policy).Statement :
        statement.Sid => statement.Resource
        if startswith(statement.Action[0], "kms:")
      } ==
      {
        DecryptAtRest = [var.settings.kms_key_arns.operations]
        DecryptFacts  = [var.settings.kms_key_arns.credentials, var.settings.kms_key_arns.events]
        Encrypt       = [var.settings.kms_key_arns.operations]
      }
    )
    error_message = "It may use the keys of what it touches, and no other."
  }

  assert {
    condition = (
      [for statement in jsondecode(output.policy).Statement : statement.Resource if statement.Sid == "ReadAudits"] ==
      [["arn:aws:s3:::demo-test-lake/batch/runs/*/audit.json"]]
    )
    error_message = "It reads audits, and no event."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.checks.metric_name == "QualityChecksFailed"
      && aws_cloudwatch_metric_alarm.checks.dimensions == tomap({ service = "data_quality" })
      && aws_cloudwatch_metric_alarm.checks.threshold == 0
    )
    error_message = "One failed check alarms."
  }

  assert {
    condition = (
      module.quality.configuration.deletion_protection && module.quality.configuration.point_in_time_recovery
      && module.quality.configuration.kms_key_arn == var.settings.kms_key_arns.operations
      && module.quality.configuration.expires
    )
    error_message = "Verdicts are kept like the other tables, and expire."
  }
}
