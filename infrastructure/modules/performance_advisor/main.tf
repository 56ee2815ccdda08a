locals {
  arn = {
    for service in [
      "dynamodb", "firehose", "kinesis", "kinesisanalytics", "lambda", "logs", "redshift-serverless",
    ] : service => "arn:${var.account.partition}:${service}:${var.account.region}:${var.account.id}"
  }

  policy_statements = {
    Archive = {
      actions   = ["s3:GetObject", "s3:PutObject"]
      resources = ["${var.lake.arn}/advice/*"]
    }
    EncryptAdvice = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.events]
    }
    FindNewest = {
      actions   = ["s3:ListBucket"]
      resources = [var.lake.arn]
    }
    Publish = {
      actions   = ["sns:Publish"]
      resources = [var.settings.alerts_topic_arn]
    }
    # These actions take no resource.
    ReadMetrics = {
      actions = [
        "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "lambda:ListEventSourceMappings",
        "logs:DescribeLogGroups", "logs:GetQueryResults",
      ]
      resources = ["*"]
    }
    # The last line of an invocation's log holds the memory that it used.
    ReadReports = {
      actions   = ["logs:StartQuery"]
      resources = ["${local.arn.logs}:log-group:/aws/lambda/${var.settings.name_prefix}-*"]
    }
    ReadSizes = {
      actions = [
        "dynamodb:DescribeTable",
        "firehose:DescribeDeliveryStream",
        "kinesis:DescribeStreamSummary",
        "kinesisanalytics:DescribeApplication",
        "lambda:GetFunctionConfiguration",
      ]
      resources = [
        "${local.arn.dynamodb}:table/${var.settings.name_prefix}-*",
        "${local.arn.firehose}:deliverystream/${var.settings.name_prefix}-*",
        "${local.arn.kinesis}:stream/${var.settings.name_prefix}-*",
        "${local.arn.kinesisanalytics}:application/${var.settings.name_prefix}-*",
        "${local.arn.lambda}:function:${var.settings.name_prefix}-*",
      ]
    }
    # The service lists the usage limits of all workgroups or of none.
    ReadUsageLimits = {
      actions   = ["redshift-serverless:ListUsageLimits"]
      resources = ["*"]
    }
    ReadWarehouse = {
      actions   = ["redshift-serverless:GetWorkgroup"]
      resources = ["${local.arn["redshift-serverless"]}:workgroup/*"]
    }
  }
}

module "function" {
  source = "../scheduled_function"

  account_id        = var.account.id
  description       = "Recommends other sizes."
  enabled           = var.enabled
  name              = "performance_advisor"
  policy_statements = local.policy_statements
  runbook           = "docs/runbooks/advice.md"
  schedules         = { week = { expression = "cron(0 7 ? * MON *)" } }
  settings          = var.settings
  sizing            = { memory_mb = 512, timeout_seconds = 300 }

  environment = {
    LAKE_BUCKET = var.lake.name
    LOG_PREFIX  = "/aws/lambda/${var.settings.name_prefix}-"
    TOPIC_ARN   = var.settings.alerts_topic_arn
    WATCHED     = jsonencode(var.watched)
  }
}
