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
