locals {
  bucket = "arn:${var.account.partition}:s3:::${var.lake.bucket}"
  athena = "arn:${var.account.partition}:athena:${var.account.region}:${var.account.id}"
  glue   = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"

  lake_statements = {
    Decrypt = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.kms_key_arn]
    }
    FindFiles = {
      actions   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
      resources = [local.bucket]
    }
    KeepAnswers = {
      actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]
      resources = ["${local.bucket}/athena-results/*"]
    }
    Query = {
      actions = [
        "athena:BatchGetQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults", "athena:GetQueryResultsStream",
        "athena:GetWorkGroup", "athena:StartQueryExecution", "athena:StopQueryExecution",
      ]
      resources = ["${local.athena}:workgroup/${var.lake.workgroup}"]
    }
    ReadCatalog = {
      actions   = ["athena:GetDataCatalog", "athena:GetDatabase", "athena:GetTableMetadata", "athena:ListDatabases", "athena:ListTableMetadata"]
      resources = ["${local.athena}:datacatalog/AwsDataCatalog"]
    }
    ReadGold = {
      actions   = ["s3:GetObject"]
      resources = ["${local.bucket}/gold/*"]
    }
    ReadTables = {
      actions = ["glue:GetDatabase", "glue:GetDatabases", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"]
      resources = concat(
        ["${local.glue}:catalog", "${local.glue}:database/${var.lake.database}"],
        [for table in keys(local.tables) : "${local.glue}:table/${var.lake.database}/${table}"],
      )
    }
  }

  trusts_quicksight = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "quicksight.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
    }]
  })
}

resource "aws_iam_role" "lake" {
  name               = "${var.name_prefix}-dashboards-lake"
  assume_role_policy = local.trusts_quicksight
}

resource "aws_iam_role_policy" "lake" {
  name = "permissions"
  role = aws_iam_role.lake.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for sid, statement in local.lake_statements : {
        Sid      = sid
        Effect   = "Allow"
        Action   = statement.actions
        Resource = statement.resources
      }
    ]
  })
}
