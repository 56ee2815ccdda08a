locals {
  arn = {
    for service in ["dynamodb", "kinesis", "kinesisanalytics", "lambda"] :
    service => "arn:${var.account.partition}:${service}:${var.account.region}:${var.account.id}"
  }

  policy_statements = {
    Archive = {
      actions   = ["s3:PutObject"]
      resources = ["${var.lake.arn}/advice/*"]
    }
    EncryptAdvice = {
      actions   = ["kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.events]
    }
    Publish = {
      actions   = ["sns:Publish"]
      resources = [var.settings.alerts_topic_arn]
    }
    # These actions take no resource.
    ReadMetrics = {
      actions   = ["cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "lambda:ListEventSourceMappings"]
      resources = ["*"]
    }
    ReadSizes = {
      actions = [
        "dynamodb:DescribeTable",
        "kinesis:DescribeStreamSummary",
        "kinesisanalytics:DescribeApplication",
        "lambda:GetFunctionConfiguration",
      ]
      resources = [
        "${local.arn.dynamodb}:table/${var.settings.name_prefix}-*",
        "${local.arn.kinesis}:stream/${var.settings.name_prefix}-*",
        "${local.arn.kinesisanalytics}:application/${var.settings.name_prefix}-*",
        "${local.arn.lambda}:function:${var.settings.name_prefix}-*",
      ]
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
  runbook           = "docs/runbooks/performance-advisor.md"
  schedules         = { week = { expression = "cron(0 7 ? * MON *)" } }
  settings          = var.settings
  sizing            = { memory_mb = 512, timeout_seconds = 300 }

  environment = {
    LAKE_BUCKET = var.lake.name
    TOPIC_ARN   = var.settings.alerts_topic_arn
    WATCHED     = jsonencode(var.watched)
  }
}
