locals {
  stage = "live"
}

resource "aws_api_gateway_rest_api" "this" {
  name               = "${var.settings.name_prefix}-ingest"
  binary_media_types = ["*/*"]
  description        = "Takes events from game clients: POST /v1/events."

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_resource" "v1" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_rest_api.this.root_resource_id
  path_part   = "v1"
}

resource "aws_api_gateway_resource" "events" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.v1.id
  path_part   = "events"
}

resource "aws_api_gateway_method" "post_events" {
  #checkov:skip=CKV_AWS_59:The function checks the game's key against its hash; API Gateway keys would be kept in plaintext.
  #checkov:skip=CKV2_AWS_53:The function validates each event and answers which were rejected and why.
  rest_api_id   = aws_api_gateway_rest_api.this.id
  resource_id   = aws_api_gateway_resource.events.id
  authorization = "NONE"
  http_method   = "POST"
}

resource "aws_api_gateway_integration" "post_events" {
  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = aws_api_gateway_resource.events.id
  http_method             = aws_api_gateway_method.post_events.http_method
  integration_http_method = "POST"
  type                    = "AWS_PROXY"
  uri                     = module.ingest.invoke_arn
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id

  # What is deployed, by its configured values: computed ones may be read back in another form.
  triggers = {
    redeployment = sha1(jsonencode({
      authorization = aws_api_gateway_method.post_events.authorization
      binary        = aws_api_gateway_rest_api.this.binary_media_types
      integration   = aws_api_gateway_integration.post_events.type
      method        = aws_api_gateway_method.post_events.http_method
      path          = aws_api_gateway_resource.events.path
      uri           = aws_api_gateway_integration.post_events.uri
    }))
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "this" {
  #checkov:skip=CKV_AWS_120:Each request is new data; there is nothing to cache.
  #checkov:skip=CKV2_AWS_29:The web ACL is attached by its own module.
  #checkov:skip=CKV2_AWS_51:Game clients cannot keep a certificate's private key secret.
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = local.stage
  xray_tracing_enabled = var.settings.tracing

  # Neither the body nor the x-api-key header: keys must not be readable in logs.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      request_id        = "$context.requestId"
      time              = "$context.requestTime"
      method            = "$context.httpMethod"
      path              = "$context.path"
      status            = "$context.status"
      error             = "$context.error.message"
      integration_error = "$context.integration.error"
      latency_ms        = "$context.responseLatency"
      response_bytes    = "$context.responseLength"
    })
  }

  depends_on = [aws_cloudwatch_log_group.execution]
}

resource "aws_api_gateway_method_settings" "all" {
  #checkov:skip=CKV_AWS_225:Each request is new data; there is nothing to cache.
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    data_trace_enabled     = false
    logging_level          = "ERROR"
    metrics_enabled        = true
    throttling_burst_limit = var.throttling.burst
    throttling_rate_limit  = var.throttling.rate
  }
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/aws/apigateway/${var.settings.name_prefix}-ingest"
  kms_key_id        = var.settings.kms_key_arn
  retention_in_days = var.settings.log_retention_days
}

# API Gateway writes to a group of this name; made here, its logs expire and are encrypted.
resource "aws_cloudwatch_log_group" "execution" {
  name              = "API-Gateway-Execution-Logs_${aws_api_gateway_rest_api.this.id}/${local.stage}"
  kms_key_id        = var.settings.kms_key_arn
  retention_in_days = var.settings.log_retention_days
}
