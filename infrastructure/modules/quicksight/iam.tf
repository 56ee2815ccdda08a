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
        "athena:BatchGetQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults",
        "athena:GetQueryResultsStream", "athena:GetWorkGroup", "athena:StartQueryExecution",
        "athena:StopQueryExecution",
      ]
      resources = ["${local.athena}:workgroup/${var.lake.workgroup}"]
    }
    ReadCatalog = {
      actions = [
        "athena:GetDataCatalog", "athena:GetDatabase", "athena:GetTableMetadata", "athena:ListDatabases",
        "athena:ListTableMetadata",
      ]
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
}

# AWS documents no aws:SourceAccount for QuickSight: a condition on a key that it does not send would lock it out.
module "lake_role" {
  source = "../service_role"

  boundary_arn = var.boundary_arn
  name         = "${var.name_prefix}-quicksight-lake"
  services     = ["quicksight.amazonaws.com"]
  statements   = local.lake_statements
}
