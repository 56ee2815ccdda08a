locals {
  policy_statements = {
    CountQuotas = {
      actions   = ["dynamodb:UpdateItem"]
      resources = [module.quotas.table.arn]
    }
    DecryptGames = {
      actions   = ["kms:Decrypt"]
      resources = [var.settings.kms_key_arns.credentials]
    }
    EncryptRecords = {
      actions   = ["kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.events]
    }
    PublishEvents = {
      actions   = ["kinesis:PutRecords"]
      resources = [var.raw_stream.arn]
    }
    ReadGames = {
      actions   = ["dynamodb:BatchGetItem"]
      resources = [var.games_table.arn]
    }
    ReadQuotas = {
      actions   = ["dynamodb:GetItem"]
      resources = [module.quotas.table.arn]
    }
  }
}
