# Each game has a key here that only the authorizer presents. It identifies usage and is not a secret.
resource "aws_api_gateway_usage_plan" "this" {
  name        = "${var.settings.name_prefix}-games"
  description = "Limits of each game."

  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this.stage_name
  }

  quota_settings {
    limit  = var.usage_plan.requests_a_day
    period = "DAY"
  }

  throttle_settings {
    burst_limit = var.usage_plan.burst
    rate_limit  = var.usage_plan.rate
  }
}
