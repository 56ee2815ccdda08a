locals {
  glue = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"

  # What Redshift does with each of its roles.
  redshift_statements = {
    streaming = {
      Decrypt = { actions = ["kms:Decrypt"], resources = [var.settings.kms_key_arns.events] }
      # AWS lists streams all or none.
      FindStream = { actions = ["kinesis:ListStreams"], resources = ["*"] }
      ReadStream = {
        actions   = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
        resources = [var.enriched_stream.arn]
      }
    }
    lake = {
      Decrypt  = { actions = ["kms:Decrypt"], resources = [var.settings.kms_key_arns.events] }
      ListLake = { actions = ["s3:GetBucketLocation", "s3:ListBucket"], resources = [var.lake.arn] }
      ReadCatalog = {
        actions = ["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"]
        resources = concat(
          ["${local.glue}:catalog", "${local.glue}:database/${var.lake.database}"],
          [for table in sort(var.lake.tables) : "${local.glue}:table/${var.lake.database}/${table}"],
        )
      }
      ReadLake = {
        actions   = ["s3:GetObject"]
        resources = [for prefix in ["gold", "silver"] : "${var.lake.arn}/${prefix}/*"]
      }
    }
  }

  schedule_statements = {
    Encrypt        = { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [var.settings.kms_key_arns.operations] }
    Refresh        = { actions = ["lambda:InvokeFunction"], resources = [module.migrations.arn] }
    ReportFailures = { actions = ["sqs:SendMessage"], resources = [module.failures.arn] }
    Snapshot = {
      actions = ["redshift-serverless:CreateSnapshot"]
      resources = [
        aws_redshiftserverless_namespace.this.arn,
        "arn:${var.account.partition}:redshift-serverless:${var.account.region}:${var.account.id}:snapshot/*",
      ]
    }
  }
}

# AWS documents no aws:SourceAccount for Redshift: a condition on a key that Redshift does not send would lock it out.
module "redshift_role" {
  source   = "../service_role"
  for_each = local.redshift_statements

  boundary_arn = var.settings.boundary_arn
  name         = "${local.name}-${each.key}"
  services     = ["redshift-serverless.amazonaws.com", "redshift.amazonaws.com"]
  statements   = each.value
}

module "schedule_role" {
  source = "../service_role"

  boundary_arn    = var.settings.boundary_arn
  name            = "${local.name}-schedule"
  services        = ["scheduler.amazonaws.com"]
  statements      = local.schedule_statements
  trust_condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
}
