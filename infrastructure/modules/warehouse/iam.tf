locals {
  glue = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"

  # What Redshift does with each of its roles.
  redshift_statements = {
    streaming = {
      Decrypt = { actions = ["kms:Decrypt"], resources = [var.settings.kms_key_arn] }
      # AWS lists streams all or none.
      FindStream = { actions = ["kinesis:ListStreams"], resources = ["*"] }
      ReadStream = {
        actions   = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
        resources = [var.enriched_stream.arn]
      }
    }
    lake = {
      Decrypt  = { actions = ["kms:Decrypt"], resources = [var.settings.kms_key_arn] }
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
}

resource "aws_iam_role" "redshift" {
  for_each = local.redshift_statements

  name = "${local.name}-${each.key}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["redshift-serverless.amazonaws.com", "redshift.amazonaws.com"] }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
    }]
  })
}

resource "aws_iam_role_policy" "redshift" {
  for_each = local.redshift_statements

  name = "permissions"
  role = aws_iam_role.redshift[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for sid, statement in each.value : {
        Sid      = sid
        Effect   = "Allow"
        Action   = statement.actions
        Resource = statement.resources
      }
    ]
  })
}

# The Data API knows statements by no ARN: AWS demands "*", and the condition leaves the function its own.
resource "aws_iam_role_policy" "follow_statements" {
  name = "follow-statements"
  role = module.migrations.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "FollowStatements"
      Effect    = "Allow"
      Action    = ["redshift-data:DescribeStatement", "redshift-data:GetStatementResult", "redshift-data:ListStatements"]
      Resource  = ["*"]
      Condition = { StringEquals = { "redshift-data:statement-owner-iam-userid" = "$${aws:userid}" } }
    }]
  })
}

resource "aws_iam_role" "schedule" {
  name = "${local.name}-schedule"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
    }]
  })
}

resource "aws_iam_role_policy" "schedule" {
  name = "permissions"
  role = aws_iam_role.schedule.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Decrypt", Effect = "Allow", Action = ["kms:Decrypt"], Resource = [var.settings.kms_key_arn] },
      { Sid = "Refresh", Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = [module.migrations.arn] },
      {
        Sid    = "Snapshot"
        Effect = "Allow"
        Action = ["redshift-serverless:CreateSnapshot"]
        Resource = [
          aws_redshiftserverless_namespace.this.arn,
          "arn:${var.account.partition}:redshift-serverless:${var.account.region}:${var.account.id}:snapshot/*",
        ]
      },
    ]
  })
}
