# What the keys of each class of a game have sent, in events: usage plans count requests only.
module "quotas" {
  source = "../dynamodb_table"

  alerts_topic_arn = var.settings.alerts_topic_arn
  expires          = true
  hash_key         = "quota"
  kms_key_arn      = var.settings.kms_key_arns.operations
  name             = "${var.settings.name_prefix}-quotas"
  protection       = var.protection
}

resource "aws_cloudwatch_metric_alarm" "quota" {
  alarm_name          = "${var.settings.name_prefix}-ingest-quota"
  alarm_actions       = [var.settings.alerts_topic_arn]
  alarm_description   = "A game has used 80 % of its events of the day. At 100 % its keys are disabled: ${local.runbook}"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  dimensions          = { service = "ingest" }
  evaluation_periods  = 1
  metric_name         = "QuotaUsed"
  namespace           = var.settings.name_prefix
  ok_actions          = [var.settings.alerts_topic_arn]
  period              = 60
  statistic           = "Maximum"
  threshold           = 80
  treat_missing_data  = "notBreaching"
}

# Each game has a key here that only the authorizer presents. It identifies usage and is not a secret.
locals {
  usage_plans = {
    games = {
      description = "Limits of each game."
      limits      = var.usage_plan
    }
    # A game that demands signatures may send its id alone. Such a request has shown no secret.
    unproven = {
      description = "Limits of each game's requests that show no secret."
      limits      = var.usage_plan.unproven
    }
  }
}

resource "aws_api_gateway_usage_plan" "this" {
  for_each = local.usage_plans

  name        = "${var.settings.name_prefix}-${each.key}"
  description = each.value.description

  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this.stage_name
  }

  quota_settings {
    limit  = each.value.limits.requests_a_day
    period = "DAY"
  }

  throttle_settings {
    burst_limit = each.value.limits.burst
    rate_limit  = each.value.limits.rate
  }
}
