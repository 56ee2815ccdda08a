locals {
  glue = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"

  job_statements = {
    Encrypt = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.events]
    }
    # CloudWatch Logs lists the groups of an account and region only.
    FindLogGroup = {
      actions   = ["logs:DescribeLogGroups"]
      resources = ["*"]
    }
    KeepTables = {
      actions   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      resources = [for prefix in ["batch", "gold", "kept", "silver"] : "${var.lake.arn}/${prefix}/*"]
    }
    ListLake = {
      actions   = ["s3:GetBucketLocation", "s3:ListBucket"]
      resources = [var.lake.arn]
    }
    ReadBronze = {
      actions   = ["s3:GetObject"]
      resources = ["${var.lake.arn}/bronze/*", "${var.lake.arn}/corrections/*"]
    }
    ReadCatalog = {
      actions   = ["glue:GetDatabase"]
      resources = ["${local.glue}:catalog", "${local.glue}:database/${var.lake.database}"]
    }
    ReadCode = {
      actions   = ["s3:GetObject"]
      resources = [for object in values(aws_s3_object.package) : "${var.lake.arn}/${object.key}"]
    }
    UseTables = {
      actions = ["glue:GetTable", "glue:UpdateTable"]
      resources = concat(
        ["${local.glue}:catalog", "${local.glue}:database/${var.lake.database}"],
        [for table in sort(var.lake.tables) : "${local.glue}:table/${var.lake.database}/${table}"],
      )
    }
    # The suffix matches the streams of the job's own log group.
    WriteLogs = {
      actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      resources = ["${aws_cloudwatch_log_group.job.arn}:*"]
    }
  }

  state_machine_statements = {
    Alert = {
      actions   = ["sns:Publish"]
      resources = [var.alerts_topic_arn]
    }
    # Step Functions writes logs through deliveries, and traces. Both kinds of actions take no resource.
    Deliver = {
      actions = [
        "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
        "xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
      ]
      resources = ["*"]
    }
    Encrypt = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.operations]
    }
    FollowJobs = {
      actions   = ["emr-serverless:CancelJobRun", "emr-serverless:GetJobRun"]
      resources = ["${aws_emrserverless_application.this.arn}/jobruns/*"]
    }
    # Step Functions makes a rule of this name, which reports the end of a job.
    HearOfJobs = {
      actions = ["events:DescribeRule", "events:PutRule", "events:PutTargets"]
      resources = [join(":", [
        "arn", var.account.partition, "events", var.account.region, var.account.id,
        "rule/StepFunctionsGetEventsForEMRServerlessJobRule",
      ])]
    }
    LendRole = {
      actions   = ["iam:PassRole"]
      condition = { StringEquals = { "iam:PassedToService" = ["emr-serverless.amazonaws.com"] } }
      resources = [module.job_role.arn]
    }
    StartJobs = {
      actions   = ["emr-serverless:StartJobRun"]
      resources = [aws_emrserverless_application.this.arn]
    }
    TakeTurns = {
      actions   = ["states:ListExecutions", "states:StartExecution"]
      resources = [local.state_machine_arn]
    }
  }

  schedule_statements = {
    Encrypt = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.operations]
    }
    ReportFailures = {
      actions   = ["sqs:SendMessage"]
      resources = [module.schedule_failures.arn]
    }
    Start = {
      actions   = ["states:StartExecution"]
      resources = [local.state_machine_arn]
    }
  }
}

module "job_role" {
  source = "../service_role"

  boundary_arn    = var.settings.boundary_arn
  name            = "${local.name}-job"
  services        = ["emr-serverless.amazonaws.com"]
  statements      = local.job_statements
  trust_condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
}

module "schedule_role" {
  source = "../service_role"

  boundary_arn    = var.settings.boundary_arn
  name            = "${local.name}-schedule"
  services        = ["scheduler.amazonaws.com"]
  statements      = local.schedule_statements
  trust_condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
}

module "state_machine_role" {
  source = "../service_role"

  boundary_arn    = var.settings.boundary_arn
  name            = "${local.name}-steps"
  services        = ["states.amazonaws.com"]
  statements      = local.state_machine_statements
  trust_condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
}
