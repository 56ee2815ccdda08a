locals {
  glue   = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"
  lambda = "arn:${var.account.partition}:lambda:${var.account.region}:${var.account.id}"
  ses    = "arn:${var.account.partition}:ses:${var.account.region}:${var.account.id}"

  # What costs of advertising are held against (functions/layers/telemetry/telemetry/ad_spend.py).
  gold = "acquisition_value"

  policy_statements = merge(
    {
      Archive = {
        actions   = ["s3:PutObject"]
        resources = ["${var.lake.arn}/reports/*"]
      }
      # Not execute-api:Invoke: APIs have no names, so a boundary cannot tell those of another environment apart.
      AskApi = {
        actions   = ["lambda:InvokeFunction"]
        resources = ["${local.lambda}:function:${var.metrics_api.function_name}"]
      }
      AskAthena = {
        actions   = ["athena:GetQueryExecution", "athena:GetQueryResults", "athena:StartQueryExecution"]
        resources = [var.workgroup.arn]
      }
      DecryptGames = {
        actions   = ["kms:Decrypt"]
        resources = [var.settings.kms_key_arns.credentials]
      }
      DecryptLake = {
        actions   = ["kms:Decrypt"]
        resources = [var.settings.kms_key_arns.events]
      }
      EncryptReports = {
        actions   = ["kms:GenerateDataKey"]
        resources = [var.settings.kms_key_arns.events]
      }
      # Athena uses the permissions of its caller.
      FindLake = {
        actions   = ["s3:GetBucketLocation", "s3:ListBucket"]
        resources = [var.lake.arn]
      }
      KeepLedger = {
        actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
        resources = [module.reports.table.arn]
      }
      KeepResults = {
        actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]
        resources = ["${var.lake.arn}/${var.workgroup.results}/*"]
      }
      ListGames = {
        actions   = ["dynamodb:Scan"]
        resources = [var.tables.games.arn]
      }
      QueryCounts = {
        actions   = ["dynamodb:Query"]
        resources = [var.tables.game_days.arn]
      }
      ReadGold = {
        actions   = ["s3:GetObject"]
        resources = ["${var.lake.arn}/gold/${local.gold}/*"]
      }
      ReadGoldTables = {
        actions = ["glue:GetDatabase", "glue:GetTable"]
        resources = [
          "${local.glue}:catalog",
          "${local.glue}:database/${var.lake.database}",
          "${local.glue}:table/${var.lake.database}/${local.gold}",
        ]
      }
      ReadWebhooks = {
        actions   = ["secretsmanager:GetSecretValue"]
        resources = [aws_secretsmanager_secret.webhooks.arn]
      }
    },
    var.sender == "" ? {} : {
      Mail = {
        # SES authorises a raw message of SendEmail under either action. In the sandbox it also authorises the
        # identities of recipients, so the condition limits the address of the sender.
        actions   = ["ses:SendEmail", "ses:SendRawEmail"]
        condition = { StringEquals = { "ses:FromAddress" = [var.sender] } }
        resources = [
          "${local.ses}:configuration-set/${aws_sesv2_configuration_set.this.configuration_set_name}",
          "${local.ses}:identity/*",
        ]
      }
    },
  )
}
