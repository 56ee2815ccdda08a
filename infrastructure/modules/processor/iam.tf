locals {
  policy_statements = {
    ClaimEvents = {
      actions   = ["dynamodb:UpdateItem"]
      resources = [module.dedupe.table.arn]
    }
    CountEvents = {
      actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      resources = [module.ingest_stats.table.arn]
    }
    DecryptTables = {
      actions   = ["kms:Decrypt"]
      resources = [var.settings.kms_key_arns.credentials, var.settings.kms_key_arns.players]
    }
    DeliverToLake = {
      actions   = ["firehose:PutRecordBatch"]
      resources = [var.delivery_streams.bronze.arn, var.delivery_streams.rejected.arn]
    }
    EncryptEvents = {
      actions   = ["kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.events]
    }
    PublishEvents = {
      actions   = ["kinesis:PutRecords"]
      resources = [var.enriched_stream.arn]
    }
    ReadGames = {
      actions   = ["dynamodb:BatchGetItem"]
      resources = [var.games_table.arn]
    }
    ShowEvents = {
      actions   = ["dynamodb:BatchWriteItem"]
      resources = [module.recent_events.table.arn]
    }
  }
}
