locals {
  policy_statements = {
    EncryptRecords = {
      actions   = ["kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arn]
    }
    PublishEvents = {
      actions   = ["kinesis:PutRecords"]
      resources = [var.raw_stream.arn]
    }
    ReadGames = {
      actions   = ["dynamodb:BatchGetItem"]
      resources = [var.games_table.arn]
    }
  }
}
