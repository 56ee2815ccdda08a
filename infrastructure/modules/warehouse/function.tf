locals {
  # Migrations name these values as {{name}}.
  values = {
    glue_database      = var.lake.database
    gold_role_arn      = module.redshift_role["gold"].arn
    region             = var.account.region
    silver_role_arn    = module.redshift_role["silver"].arn
    stream_name        = var.enriched_stream.name
    streaming_role_arn = module.redshift_role["streaming"].arn
  }
}

module "function" {
  source = "../lambda_function"

  name        = "warehouse"
  description = "Applies the warehouse's migrations, and brings its facts up to date."
  settings    = var.settings
  sizing      = { memory_mb = 512, timeout_seconds = 900 }

  environment = {
    DATABASE   = aws_redshiftserverless_namespace.this.db_name
    SECRET_ARN = aws_redshiftserverless_namespace.this.admin_password_secret_arn
    VALUES     = jsonencode(local.values)
    WORKGROUP  = aws_redshiftserverless_workgroup.this.workgroup_name
  }

  policy_statements = {
    DecryptSecret = {
      actions   = ["kms:Decrypt"]
      resources = [var.settings.kms_key_arns.credentials]
    }
    Encrypt = { actions = ["kms:GenerateDataKey"], resources = [var.settings.kms_key_arns.operations] }
    # The Data API encrypts statements and results with the key of the warehouse, which its caller grants to it.
    EncryptStatements = {
      actions   = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.events]
    }
    # A statement has no ARN: the condition limits the function to its own statements.
    FollowStatements = {
      actions = [
        "redshift-data:DescribeStatement", "redshift-data:GetStatementResult", "redshift-data:ListStatements",
      ]
      condition = { StringEquals = { "redshift-data:statement-owner-iam-userid" = ["$${aws:userid}"] } }
      resources = ["*"]
    }
    ReadSecret = {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [aws_redshiftserverless_namespace.this.admin_password_secret_arn]
    }
    ReportFailures = { actions = ["sqs:SendMessage"], resources = [module.failures.arn] }
    RunStatements = {
      actions   = ["redshift-data:BatchExecuteStatement", "redshift-data:ExecuteStatement"]
      resources = [aws_redshiftserverless_workgroup.this.arn]
    }
  }
}

resource "aws_lambda_function_event_invoke_config" "this" {
  function_name = module.function.name

  destination_config {
    on_failure {
      destination = module.failures.arn
    }
  }
}

# The package holds the migrations: a new one changes the hash.
resource "aws_lambda_invocation" "migrate" {
  function_name = module.function.name
  input         = jsonencode({ action = "migrate" })

  triggers = {
    package   = filebase64sha256("${var.settings.packages_directory}/warehouse.zip")
    values    = sha256(jsonencode(local.values))
    workgroup = aws_redshiftserverless_workgroup.this.workgroup_id
  }

  lifecycle {
    postcondition {
      condition     = jsondecode(self.result).state == "current"
      error_message = "A migration still runs: `scripts/warehouse migrate` waits for it and continues."
    }
  }

  depends_on = [aws_vpc_security_group_egress_rule.endpoints, aws_vpc_security_group_egress_rule.lake]
}

resource "aws_scheduler_schedule" "refresh" {
  name                = "${local.name}-refresh"
  description         = "Brings the warehouse's facts up to date."
  kms_key_arn         = var.settings.kms_key_arns.operations
  schedule_expression = "rate(${var.refresh.minutes} minutes)"
  state               = var.refresh.enabled ? "ENABLED" : "DISABLED"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.function.arn
    input    = jsonencode({ action = "refresh" })
    role_arn = module.schedule_role.arn

    dead_letter_config {
      arn = module.failures.arn
    }

    retry_policy {
      maximum_event_age_in_seconds = 300
      maximum_retry_attempts       = 2
    }
  }

  depends_on = [aws_lambda_invocation.migrate]
}

# Redshift deletes recovery points after a day; these snapshots stay.
resource "aws_scheduler_schedule" "snapshot" {
  name                = "${local.name}-snapshot"
  description         = "Keeps a snapshot of the warehouse each day."
  kms_key_arn         = var.settings.kms_key_arns.operations
  schedule_expression = "cron(30 2 * * ? *)"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = "arn:${var.account.partition}:scheduler:::aws-sdk:redshiftserverless:createSnapshot"
    role_arn = module.schedule_role.arn

    dead_letter_config {
      arn = module.failures.arn
    }

    # jsonencode escapes angle brackets, and the scheduler replaces <aws.scheduler.execution-id> only without escapes.
    input = replace(replace(jsonencode({
      NamespaceName   = local.name
      RetentionPeriod = var.snapshot_days
      SnapshotName    = "${local.name}-<aws.scheduler.execution-id>"
    }), "\\u003c", "<"), "\\u003e", ">")
  }
}

module "failures" {
  source = "../failure_queue"

  alerts_topic_arn = var.settings.alerts_topic_arn
  kms_key_arn      = var.settings.kms_key_arns.operations
  name             = local.name
  runbook          = local.runbook
}

resource "aws_cloudwatch_metric_alarm" "refresh" {
  alarm_name          = "${local.name}-refresh"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "The warehouse's facts are not brought up to date: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { FunctionName = module.function.name }
  evaluation_periods  = 2
  metric_name         = "Errors"
  namespace           = "AWS/Lambda"
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = 900
  statistic           = "Sum"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}

# At the limit no query runs until the next UTC day, or queries go on and cost more: the alarm comes before either.
resource "aws_cloudwatch_metric_alarm" "usage" {
  alarm_name          = "${local.name}-usage"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "Four fifths of the day's RPU-hours are spent: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  ok_actions          = [var.settings.alerts_topic_arn]
  threshold           = 0.8 * var.usage_limit.rpu_hours_a_day
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "spent"
    expression  = "SELECT MAX(UsageLimitConsumed) FROM \"AWS/Redshift-Serverless\" WHERE Workgroup = '${local.name}'"
    label       = "RPU-hours of the day"
    period      = 300
    return_data = true
  }
}
