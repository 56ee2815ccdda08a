locals {
  ses = "arn:${var.account.partition}:ses:${var.account.region}:${var.account.id}"

  policy_statements = merge(
    {
      Archive = {
        actions   = ["s3:PutObject"]
        resources = ["${var.lake.arn}/reports/*"]
      }
      DecryptGames = {
        actions   = ["kms:Decrypt"]
        resources = [var.settings.kms_key_arns.credentials]
      }
      EncryptReports = {
        actions   = ["kms:GenerateDataKey"]
        resources = [var.settings.kms_key_arns.events]
      }
      KeepLedger = {
        actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
        resources = [module.reports.table.arn]
      }
      ListGames = {
        actions   = ["dynamodb:Scan"]
        resources = [var.tables.games.arn]
      }
      QueryCounts = {
        actions   = ["dynamodb:Query"]
        resources = [var.tables.game_days.arn]
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
        condition = { StringEquals = { "ses:FromAddress" = var.sender } }
        resources = [
          "${local.ses}:configuration-set/${aws_sesv2_configuration_set.this.configuration_set_name}",
          "${local.ses}:identity/*",
        ]
      }
    },
  )
}
