locals {
  name = "${var.settings.name_prefix}-${replace(var.name, "_", "-")}"

  schedule_statements = {
    Encrypt = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.operations]
    }
    Invoke = {
      actions   = ["lambda:InvokeFunction"]
      resources = [module.function.arn]
    }
    ReportFailures = {
      actions   = ["sqs:SendMessage"]
      resources = [module.failures.arn]
    }
  }
}

module "function" {
  source = "../lambda_function"

  description = var.description
  environment = var.environment
  name        = var.name
  settings    = var.settings
  sizing      = var.sizing

  policy_statements = merge(var.policy_statements, {
    Encrypt        = { actions = ["kms:GenerateDataKey"], resources = [var.settings.kms_key_arns.operations] }
    ReportFailures = { actions = ["sqs:SendMessage"], resources = [module.failures.arn] }
  })
}

resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = module.function.name
  maximum_event_age_in_seconds = 21600
  maximum_retry_attempts       = 2

  destination_config {
    on_failure {
      destination = module.failures.arn
    }
  }
}

resource "aws_scheduler_schedule" "this" {
  for_each = var.schedules

  name                         = "${local.name}-${each.key}"
  description                  = var.description
  kms_key_arn                  = var.settings.kms_key_arns.operations
  schedule_expression          = each.value.expression
  schedule_expression_timezone = "UTC"
  state                        = var.enabled ? "ENABLED" : "DISABLED"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.function.arn
    input    = each.value.input
    role_arn = module.schedule_role.arn

    dead_letter_config {
      arn = module.failures.arn
    }

    retry_policy {
      maximum_event_age_in_seconds = 21600
      maximum_retry_attempts       = 10
    }
  }
}

module "failures" {
  source = "../failure_queue"

  alerts_topic_arn = var.settings.alerts_topic_arn
  kms_key_arn      = var.settings.kms_key_arns.operations
  name             = local.name
  runbook          = var.runbook
}

module "schedule_role" {
  source = "../service_role"

  boundary_arn    = var.settings.boundary_arn
  name            = "${local.name}-schedule"
  services        = ["scheduler.amazonaws.com"]
  statements      = local.schedule_statements
  trust_condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
}
