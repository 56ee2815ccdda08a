locals {
  athena  = "arn:${var.account.partition}:athena:${var.account.region}:${var.account.id}"
  glue    = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"
  results = "athena-results/metrics-api"

  policy_statements = {
    AskAthena = {
      actions = [
        "athena:GetQueryExecution", "athena:GetQueryResults", "athena:StartQueryExecution", "athena:StopQueryExecution",
      ]
      resources = ["${local.athena}:workgroup/${aws_athena_workgroup.this.name}"]
    }
    DecryptLake = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.events]
    }
    DecryptTables = {
      actions   = ["kms:Decrypt"]
      resources = [var.settings.kms_key_arns.credentials, var.settings.kms_key_arns.players]
    }
    # Athena uses the permissions of its caller.
    FindLake = {
      actions   = ["s3:GetBucketLocation", "s3:ListBucket"]
      resources = [var.lake.bucket.arn]
    }
    KeepQuestions = {
      actions   = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]
      resources = [module.saved_questions.table.arn]
    }
    KeepResults = {
      actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]
      resources = ["${var.lake.bucket.arn}/${local.results}/*"]
    }
    ListGames = {
      actions   = ["dynamodb:Scan"]
      resources = [var.tables.games.arn]
    }
    QueryCounts = {
      actions   = ["dynamodb:Query"]
      resources = [var.tables.game_days.arn, var.tables.ingest_stats.arn]
    }
    QueryEvents = {
      actions   = ["dynamodb:Query"]
      resources = [var.tables.recent_events.arn]
    }
    QueryLeaderboards = {
      actions   = ["dynamodb:Query"]
      resources = [var.tables.boards.arn, var.leaderboards_by_rank_arn]
    }
    ReadEntries = {
      actions   = ["dynamodb:BatchGetItem"]
      resources = [var.tables.leaderboards.arn]
    }
    QueryWindows = {
      actions   = ["dynamodb:GetItem", "dynamodb:Query"]
      resources = [var.tables.quality.arn, var.tables.realtime.arn]
    }
    ReadItems = {
      actions   = ["dynamodb:GetItem"]
      resources = [var.tables.games.arn, var.tables.players.arn]
    }
    ReadLake = {
      actions   = ["s3:GetObject"]
      resources = [for prefix in ["gold", "silver"] : "${var.lake.bucket.arn}/${prefix}/*"]
    }
    ReadLakeTables = {
      actions = ["glue:GetDatabase", "glue:GetTable"]
      resources = concat(
        ["${local.glue}:catalog", "${local.glue}:database/${var.lake.database}"],
        [for table in var.lake.tables : "${local.glue}:table/${var.lake.database}/${table}"],
      )
    }
  }
}
