# What API Gateway answers by itself has the form of the function's own errors. A failing authorizer is a
# configuration error to it, as one that cannot be reached: clients send again either way.
locals {
  responses = {
    ACCESS_DENIED                  = { status = 403, code = "game_disabled", message = "the game is disabled" }
    AUTHORIZER_CONFIGURATION_ERROR = { status = 503, code = "unavailable", message = "keys cannot be checked now, send the events again", retry = 2 }
    AUTHORIZER_FAILURE             = { status = 503, code = "unavailable", message = "keys cannot be checked now, send the events again", retry = 2 }
    DEFAULT_4XX                    = { status = null, code = "bad_request", message = "the request is not one of this API" }
    DEFAULT_5XX                    = { status = null, code = "unavailable", message = "send the events again", retry = 2 }
    INVALID_API_KEY                = { status = 403, code = "no_usage_plan", message = "the game has no usage plan" }
    MISSING_AUTHENTICATION_TOKEN   = { status = 404, code = "not_found", message = "there is POST /v1/events and POST /applications/{application_id}/events" }
    QUOTA_EXCEEDED                 = { status = 429, code = "quota_exceeded", message = "the game's requests of this day are used up", retry = 3600 }
    REQUEST_TOO_LARGE              = { status = 413, code = "too_large", message = "a request has at most 1000000 bytes" }
    THROTTLED                      = { status = 429, code = "throttled", message = "too many requests of this game, send the events again", retry = 2 }
    UNAUTHORIZED                   = { status = 401, code = "bad_key", message = "no live key of a registered game, <game_id>.<secret> in x-api-key" }
    WAF_FILTERED                   = { status = 403, code = "blocked", message = "the firewall blocked the request" }
  }
}

resource "aws_api_gateway_gateway_response" "this" {
  for_each = local.responses

  rest_api_id   = aws_api_gateway_rest_api.this.id
  response_type = each.key
  status_code   = each.value.status

  response_parameters = merge(
    { "gatewayresponse.header.cache-control" = "'no-store'" },
    can(each.value.retry) ? { "gatewayresponse.header.retry-after" = "'${each.value.retry}'" } : {},
  )

  response_templates = {
    "application/json" = jsonencode({ error = { code = each.value.code, message = each.value.message } })
  }
}
