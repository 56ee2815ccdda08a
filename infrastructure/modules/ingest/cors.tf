# A browser asks with OPTIONS, without the key, whether it may send: API Gateway answers all of them alike, because the
# game is not known yet. Whether a page may read an answer is a setting of its game (docs/adr/0027).
locals {
  # The function has the same headers for pages. A test compares them and runs them in a browser.
  cors = jsondecode(file("${path.module}/cors.json"))
}

resource "aws_api_gateway_method" "preflight" {
  #checkov:skip=CKV2_AWS_53:A preflight has no body and no parameters.
  for_each = local.routes

  rest_api_id   = aws_api_gateway_rest_api.this.id
  resource_id   = each.value.resource_id
  authorization = "NONE"
  http_method   = "OPTIONS"
}

resource "aws_api_gateway_integration" "preflight" {
  for_each = local.routes

  rest_api_id = aws_api_gateway_rest_api.this.id
  resource_id = each.value.resource_id
  http_method = aws_api_gateway_method.preflight[each.key].http_method
  # All media types are binary here. API Gateway applies the template to text only.
  content_handling  = "CONVERT_TO_TEXT"
  request_templates = { "application/json" = jsonencode({ statusCode = 204 }) }
  type              = "MOCK"
}

resource "aws_api_gateway_method_response" "preflight" {
  for_each = local.routes

  rest_api_id         = aws_api_gateway_rest_api.this.id
  resource_id         = each.value.resource_id
  http_method         = aws_api_gateway_method.preflight[each.key].http_method
  response_parameters = { for name in keys(local.cors.preflight) : "method.response.header.${name}" => true }
  status_code         = "204"
}

resource "aws_api_gateway_integration_response" "preflight" {
  for_each = local.routes

  rest_api_id = aws_api_gateway_rest_api.this.id
  resource_id = each.value.resource_id
  http_method = aws_api_gateway_integration.preflight[each.key].http_method
  status_code = aws_api_gateway_method_response.preflight[each.key].status_code

  response_parameters = {
    for name, value in local.cors.preflight : "method.response.header.${name}" => "'${value}'"
  }
}
