locals {
  athena = "arn:${var.account.partition}:athena:${var.account.region}:${var.account.id}"
  glue   = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"

  policy_statements = merge(
    {
      DecryptPlayers = {
        actions   = ["kms:Decrypt"]
        resources = [var.settings.kms_key_arns.credentials, var.settings.kms_key_arns.players]
      }
      EncryptLake = {
        actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
        resources = [var.settings.kms_key_arns.events]
      }
      FindObjects = {
        actions   = ["s3:ListBucket", "s3:ListBucketVersions"]
        resources = [var.lake.arn]
      }
      ForgetBatches = {
        actions   = ["dynamodb:DeleteItem", "dynamodb:Query"]
        resources = [var.tables.recent_events.arn]
      }
      ForgetEntries = {
        actions   = ["dynamodb:DeleteItem", "dynamodb:Scan"]
        resources = [var.tables.leaderboards.arn]
      }
      ForgetLines = {
        actions   = ["s3:DeleteObjectVersion", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
        resources = [for prefix in ["bronze", "errors", "rejected"] : "${var.lake.arn}/${prefix}/*"]
      }
      ForgetProfiles = {
        actions   = ["dynamodb:DeleteItem", "dynamodb:GetItem"]
        resources = [var.tables.players.arn]
      }
      KeepReceipts = {
        actions   = ["s3:PutObject"]
        resources = ["${var.lake.arn}/privacy/erased/*", "${var.lake.arn}/privacy/searched.json"]
      }
      ReadGames = {
        actions   = ["dynamodb:Scan"]
        resources = [var.tables.games.arn]
      }
      ReadSearched = {
        actions   = ["s3:GetObject"]
        resources = ["${var.lake.arn}/privacy/searched.json"]
      }
    },
    var.silver.workgroup == "" ? {} : {
      AskAthena = {
        actions   = ["athena:GetQueryExecution", "athena:GetQueryResults", "athena:StartQueryExecution"]
        resources = ["${local.athena}:workgroup/${var.silver.workgroup}"]
      }
      # Athena uses the permissions of its caller.
      FindLake = {
        actions   = ["s3:GetBucketLocation"]
        resources = [var.lake.arn]
      }
      ForgetRows = {
        actions   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        resources = [for prefix in ["athena-results", "kept", "silver"] : "${var.lake.arn}/${prefix}/*"]
      }
      UseSilver = {
        actions = ["glue:GetDatabase", "glue:GetTable", "glue:UpdateTable"]
        resources = concat(
          ["${local.glue}:catalog", "${local.glue}:database/${var.silver.database}"],
          [for table in var.silver.personal_tables : "${local.glue}:table/${var.silver.database}/${table}"],
        )
      }
    },
    var.warehouse_function.arn == "" ? {} : {
      AskWarehouse = {
        actions   = ["lambda:InvokeFunction"]
        resources = [var.warehouse_function.arn]
      }
    },
  )
}
