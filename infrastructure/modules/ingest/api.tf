locals {
  stage = "live"
}

resource "aws_api_gateway_rest_api" "this" {
  name = "${var.settings.name_prefix}-ingest"
  #checkov:skip=CKV_SECRET_6:A setting, no key.
  api_key_source     = "AUTHORIZER"
  binary_media_types = ["*/*"]
  description        = "Takes events from game clients, and from clients of other analytics products."

  # At the edge AWS sets CloudFront-Viewer-Country and replaces a client's header of that name.
  endpoint_configuration {
    types = ["EDGE"]
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

resource "aws_api_gateway_resource" "applications" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_rest_api.this.root_resource_id
  path_part   = "applications"
}

resource "aws_api_gateway_resource" "application" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.applications.id
  path_part   = "{application_id}"
}

resource "aws_api_gateway_resource" "application_events" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.application.id
  path_part   = "events"
}

resource "aws_api_gateway_resource" "compat" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.v1.id
  path_part   = "compat"
}

resource "aws_api_gateway_resource" "vendor" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.compat.id
  path_part   = "{vendor}"
}

# Clients of other products add paths of their own to a base URL. The function knows these paths.
resource "aws_api_gateway_resource" "vendor_paths" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.vendor.id
  path_part   = "{proxy+}"
}

locals {
  # Header of the key by route: our route, the route of the AWS guidance, and the routes of other products.
  routes = {
    compat = {
      header      = "x-api-key"
      parameters  = { "method.request.path.proxy" = true, "method.request.path.vendor" = true }
      resource_id = aws_api_gateway_resource.vendor_paths.id
    }
    events = {
      header      = "x-api-key"
      parameters  = {}
      resource_id = aws_api_gateway_resource.events.id
    }
    guidance = {
      header      = "Authorization"
      parameters  = { "method.request.path.application_id" = true }
      resource_id = aws_api_gateway_resource.application_events.id
    }
  }
}

resource "aws_api_gateway_authorizer" "this" {
  for_each = local.routes

  name                             = each.key
  rest_api_id                      = aws_api_gateway_rest_api.this.id
  authorizer_result_ttl_in_seconds = 60
  authorizer_uri                   = module.authorizer.invoke_arn
  identity_source                  = "method.request.header.${each.value.header}"
  type                             = "REQUEST"
}

resource "aws_api_gateway_method" "post" {
  #checkov:skip=CKV2_AWS_53:The function validates each event and answers which were rejected and why.
  for_each = local.routes

  rest_api_id        = aws_api_gateway_rest_api.this.id
  resource_id        = each.value.resource_id
  api_key_required   = var.usage_plan.enforced
  authorization      = "CUSTOM"
  authorizer_id      = aws_api_gateway_authorizer.this[each.key].id
  http_method        = "POST"
  request_parameters = each.value.parameters
}

resource "aws_api_gateway_integration" "post" {
  for_each = local.routes

  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = each.value.resource_id
  http_method             = aws_api_gateway_method.post[each.key].http_method
  integration_http_method = "POST"
  type                    = "AWS_PROXY"
  uri                     = module.ingest.invoke_arn
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id

  # A deployment is made when a configured value changes. Computed values may be read back in another form.
  triggers = {
    redeployment = sha1(jsonencode({
      binary     = aws_api_gateway_rest_api.this.binary_media_types
      key_source = aws_api_gateway_rest_api.this.api_key_source
      preflights = [local.cors.preflight, keys(aws_api_gateway_integration_response.preflight)]
      uris       = [for each in aws_api_gateway_integration.post : each.uri]

      paths = [
        aws_api_gateway_resource.events.path,
        aws_api_gateway_resource.application_events.path,
        aws_api_gateway_resource.vendor_paths.path,
      ]
      authorizers = [
        for each in aws_api_gateway_authorizer.this :
        [each.identity_source, each.authorizer_uri, each.authorizer_result_ttl_in_seconds]
      ]
      methods = [
        for each in aws_api_gateway_method.post : [each.http_method, each.authorization, each.api_key_required]
      ]
      responses = [
        for each in aws_api_gateway_gateway_response.this :
        [each.response_type, each.status_code, each.response_templates, each.response_parameters]
      ]
    }))
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "this" {
  #checkov:skip=CKV_AWS_120:Each request is new data; there is nothing to cache.
  #checkov:skip=CKV2_AWS_77:It also blocks anonymous addresses: players use VPNs, game servers are in data centres.
  #checkov:skip=CKV2_AWS_51:Game clients cannot keep a certificate's private key secret.
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = local.stage
  xray_tracing_enabled = var.settings.tracing

  # The log holds neither body nor x-api-key: keys must not be readable in logs.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      request_id        = "$context.requestId"
      game_id           = "$context.authorizer.game_id"
      key_id            = "$context.authorizer.key_id"
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

resource "aws_wafv2_web_acl_association" "this" {
  resource_arn = aws_api_gateway_stage.this.arn
  web_acl_arn  = var.web_acl_arn
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
  kms_key_id        = var.settings.kms_key_arns.operations
  retention_in_days = var.settings.log_retention_days
}

# API Gateway writes to a group of this name. Terraform makes it, so that its logs expire and are encrypted.
resource "aws_cloudwatch_log_group" "execution" {
  name              = "API-Gateway-Execution-Logs_${aws_api_gateway_rest_api.this.id}/${local.stage}"
  kms_key_id        = var.settings.kms_key_arns.operations
  retention_in_days = var.settings.log_retention_days
}

# It traces one request in a hundred. The default rule traces one a second and one in twenty of the rest.
resource "aws_xray_sampling_rule" "this" {
  count = var.settings.tracing ? 1 : 0

  rule_name      = substr(aws_api_gateway_rest_api.this.name, 0, 32)
  fixed_rate     = 0.01
  host           = "*"
  http_method    = "*"
  priority       = 1000
  reservoir_size = 0
  resource_arn   = "*"
  service_name   = "${aws_api_gateway_rest_api.this.name}/${local.stage}"
  service_type   = "AWS::ApiGateway::Stage"
  url_path       = "*"
  version        = 1
}
