resource "aws_apigatewayv2_api" "this" {
  name          = "${var.settings.name_prefix}-metrics"
  description   = "Real-time metrics, players and leaderboards."
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "this" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = module.metrics_api.invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "default" {
  api_id             = aws_apigatewayv2_api.this.id
  authorization_type = "AWS_IAM"
  route_key          = "$default"
  target             = "integrations/${aws_apigatewayv2_integration.this.id}"
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      request_id        = "$context.requestId"
      person            = "$context.authorizer.claims.sub"
      principal         = "$context.identity.userArn"
      time              = "$context.requestTime"
      method            = "$context.httpMethod"
      path              = "$context.path"
      status            = "$context.status"
      error             = "$context.error.message"
      integration_error = "$context.integrationErrorMessage"
      latency_ms        = "$context.responseLatency"
      response_bytes    = "$context.responseLength"
    })
  }

  default_route_settings {
    detailed_metrics_enabled = true
    throttling_burst_limit   = var.throttling.burst
    throttling_rate_limit    = var.throttling.rate
  }
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/aws/apigateway/${var.settings.name_prefix}-metrics"
  kms_key_id        = var.settings.kms_key_arns.operations
  retention_in_days = var.settings.log_retention_days
}
