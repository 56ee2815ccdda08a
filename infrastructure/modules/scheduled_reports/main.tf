locals {
  name = "${var.settings.name_prefix}-scheduled-reports"
}

module "function" {
  source = "../scheduled_function"

  account_id        = var.account.id
  description       = "Archives, mails and posts the report of each game."
  enabled           = var.enabled
  name              = "scheduled_reports"
  policy_statements = local.policy_statements
  runbook           = "docs/runbooks/scheduled-reports.md"
  settings          = var.settings
  # One run is enough: two would wait for the same limit of mails.
  sizing = { memory_mb = 512, timeout_seconds = 900 }

  environment = {
    ATHENA_WORKGROUP  = var.workgroup.name
    CONFIGURATION_SET = aws_sesv2_configuration_set.this.configuration_set_name
    GAME_DAYS_TABLE   = var.tables.game_days.name
    GAMES_TABLE       = var.tables.games.name
    LAKE_BUCKET       = var.lake.name
    LAKE_DATABASE     = var.lake.database
    METRICS_FUNCTION  = var.metrics_api.function_name
    PAGE_URL          = var.metrics_api.page_url
    REPORTS_TABLE     = module.reports.table.name
    SENDER            = var.sender
    WEBHOOKS_SECRET   = aws_secretsmanager_secret.webhooks.arn
  }

  schedules = {
    for kind, expression in { day = "cron(0 5 * * ? *)", week = "cron(0 6 ? * MON *)" } : kind => {
      expression                  = expression
      input                       = "{\"period\":\"${kind}\",\"scheduled\":\"<aws.scheduler.scheduled-time>\"}"
    }
  }
}

# The ledger of sent reports keeps its items for good: a report that is requested again is not sent again.
module "reports" {
  source = "../dynamodb_table"

  alerts_topic_arn = var.settings.alerts_topic_arn
  hash_key         = "report"
  kms_key_arn      = var.settings.kms_key_arns.operations
  name             = "${var.settings.name_prefix}-reports"
  protection       = var.protection
}

resource "aws_sesv2_configuration_set" "this" {
  configuration_set_name = local.name

  delivery_options {
    tls_policy = "REQUIRE"
  }

  reputation_options {
    reputation_metrics_enabled = true
  }

  suppression_options {
    suppressed_reasons = ["BOUNCE", "COMPLAINT"]
  }
}

# People set the value, a JSON object of URLs by game: the Terraform state must not hold it.
resource "aws_secretsmanager_secret" "webhooks" {
  #checkov:skip=CKV2_AWS_57:A chat's webhook is changed in the chat, not by a function here.
  name        = "${local.name}-webhooks"
  description = "Slack-compatible webhook of each game that has one: {\"<game>\": \"https://…\"}."
  kms_key_id  = var.settings.kms_key_arns.credentials

  # A secret that waits for its deletion keeps its name, so the environment could not be made again for 30 days.
  recovery_window_in_days = var.protection.deletion ? 30 : 0
}
