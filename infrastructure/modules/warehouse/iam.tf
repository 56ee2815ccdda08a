locals {
  glue = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"

  # A user of an external schema reads every table that the schema's role can read: each layer has a role of its own.
  lake_statements = {
    for layer, tables in var.lake.tables : layer => {
      Decrypt  = { actions = ["kms:Decrypt"], resources = [var.settings.kms_key_arns.events] }
      ListLake = { actions = ["s3:GetBucketLocation", "s3:ListBucket"], resources = [var.lake.arn] }
      ReadCatalog = {
        actions = ["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"]
        resources = concat(
          ["${local.glue}:catalog", "${local.glue}:database/${var.lake.database}"],
          [for table in sort(tables) : "${local.glue}:table/${var.lake.database}/${table}"],
        )
      }
      ReadLake = { actions = ["s3:GetObject"], resources = ["${var.lake.arn}/${layer}/*"] }
    }
  }

  stream_statements = {
    Decrypt = { actions = ["kms:Decrypt"], resources = [var.settings.kms_key_arns.events] }
    # This action takes no resource but "*".
    FindStream = { actions = ["kinesis:ListStreams"], resources = ["*"] }
    ReadStream = {
      actions = [
        "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator",
        "kinesis:ListShards",
      ]
      resources = [var.enriched_stream.arn]
    }
  }

  schedule_statements = {
    Encrypt = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.operations]
    }
    Refresh        = { actions = ["lambda:InvokeFunction"], resources = [module.function.arn] }
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

# AWS does not document that Redshift sends aws:SourceAccount; a condition on a key that it does not send would lock it
# out.
module "redshift_role" {
  source   = "../service_role"
  for_each = merge(local.lake_statements, { streaming = local.stream_statements })

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
