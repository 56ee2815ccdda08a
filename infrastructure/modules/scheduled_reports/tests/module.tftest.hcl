mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account    = { id = "111122223333", partition = "aws", region = "eu-west-1" }
  lake       = { arn = "arn:aws:s3:::demo-test-lake", database = "lake", name = "demo-test-lake" }
  protection = { deletion = true, point_in_time_recovery = true }
  sender     = "reports@example.com"

  metrics_api = {
    function_name = "demo-test-metrics-api"
    page_url      = ""
  }

  tables = {
    game_days = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/game-days", name = "game-days" }
    games     = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/games", name = "games" }
  }

  workgroup = {
    arn     = "arn:aws:athena:eu-west-1:111122223333:workgroup/demo-test-metrics-api"
    name    = "demo-test-metrics-api"
    results = "athena-results/metrics-api"
  }
}

run "resources" {
  command = plan

  assert {
    condition = { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Action } == {
      Archive        = ["s3:PutObject"]
      AskApi         = ["lambda:InvokeFunction"]
      AskAthena      = ["athena:GetQueryExecution", "athena:GetQueryResults", "athena:StartQueryExecution"]
      DecryptAtRest  = ["kms:Decrypt"]
      DecryptGames   = ["kms:Decrypt"]
      DecryptLake    = ["kms:Decrypt"]
      Encrypt        = ["kms:GenerateDataKey"]
      EncryptReports = ["kms:GenerateDataKey"]
      FindLake       = ["s3:GetBucketLocation", "s3:ListBucket"]
      KeepLedger     = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      KeepResults = [
        "s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject",
      ]
      ListGames      = ["dynamodb:Scan"]
      Mail           = ["ses:SendEmail", "ses:SendRawEmail"]
      QueryCounts    = ["dynamodb:Query"]
      ReadGold       = ["s3:GetObject"]
      ReadGoldTables = ["glue:GetDatabase", "glue:GetTable"]
      ReadWebhooks   = ["secretsmanager:GetSecretValue"]
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
        DecryptAtRest  = [var.settings.kms_key_arns.operations]
        DecryptGames   = [var.settings.kms_key_arns.credentials]
        DecryptLake    = [var.settings.kms_key_arns.events]
        Encrypt        = [var.settings.kms_key_arns.operations]
        EncryptReports = [var.settings.kms_key_arns.events]
      }
    )
    error_message = "It may use the keys of what it touches, and no other."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(output.policy).Statement :
        statement.Sid => statement.Resource
        if contains(["Archive", "AskApi", "KeepResults", "Mail", "ReadGold", "ReadGoldTables"], statement.Sid)
      } ==
      {
        Archive     = ["arn:aws:s3:::demo-test-lake/reports/*"]
        AskApi      = ["arn:aws:lambda:eu-west-1:111122223333:function:demo-test-metrics-api"]
        KeepResults = ["arn:aws:s3:::demo-test-lake/athena-results/metrics-api/*"]
        Mail = [
          "arn:aws:ses:eu-west-1:111122223333:configuration-set/demo-test-scheduled-reports",
          "arn:aws:ses:eu-west-1:111122223333:identity/*",
        ]
        ReadGold = ["arn:aws:s3:::demo-test-lake/gold/acquisition_value/*"]
        ReadGoldTables = [
          "arn:aws:glue:eu-west-1:111122223333:catalog",
          "arn:aws:glue:eu-west-1:111122223333:database/lake",
          "arn:aws:glue:eu-west-1:111122223333:table/lake/acquisition_value",
        ]
      }
    )
    error_message = "It writes reports and answers of queries, reads a table of gold, asks saved questions, and mails."
  }

  assert {
    condition = one([
      for statement in jsondecode(output.policy).Statement : statement.Condition if statement.Sid == "Mail"
    ]) == { StringEquals = { "ses:FromAddress" = ["reports@example.com"] } }
    error_message = "It mails as its sender only."
  }

  assert {
    condition     = aws_secretsmanager_secret.webhooks.recovery_window_in_days == 30
    error_message = "A protected secret can be restored for 30 days."
  }

  assert {
    condition = (
      module.reports.configuration.deletion_protection && module.reports.configuration.point_in_time_recovery
      && module.reports.configuration.kms_key_arn == var.settings.kms_key_arns.operations
      && !module.reports.configuration.expires
    )
    error_message = "The ledger must not be lost, and is encrypted with the platform's key."
  }

  assert {
    condition     = aws_secretsmanager_secret.webhooks.kms_key_id == var.settings.kms_key_arns.credentials
    error_message = "Webhooks are encrypted with the platform's key."
  }

  assert {
    condition     = aws_sesv2_configuration_set.this.delivery_options[0].tls_policy == "REQUIRE"
    error_message = "Mail travels encrypted."
  }
}

run "unprotected" {
  command = plan

  variables {
    protection = { deletion = false, point_in_time_recovery = false }
  }

  assert {
    condition     = aws_secretsmanager_secret.webhooks.recovery_window_in_days == 0
    error_message = "An environment that may be destroyed must be able to come back under its names at once."
  }
}

run "without_mail" {
  command = plan

  variables {
    enabled = false
    sender  = ""
  }

  assert {
    condition     = !strcontains(output.policy, "ses:")
    error_message = "Without a sender nothing may be mailed."
  }
}

run "malformed_sender" {
  command         = plan
  expect_failures = [var.sender]

  variables {
    sender = "*@example.com"
  }
}
