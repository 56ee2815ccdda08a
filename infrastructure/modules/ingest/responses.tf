# Answers of API Gateway have the form of the function's own errors. API Gateway reports a failing authorizer, and one
# that it cannot reach, as configuration errors: clients send again in both cases. `retry` is in seconds.
locals {
  responses = {
    ACCESS_DENIED = {
      code    = "game_disabled"
      message = "the game is disabled, or its keys are: a day's events are used up"
      status  = 403
    }
    AUTHORIZER_CONFIGURATION_ERROR = {
      code    = "unavailable"
      message = "keys cannot be checked now, send the events again"
      retry   = 2
      status  = 503
    }
    AUTHORIZER_FAILURE = {
      code    = "unavailable"
      message = "keys cannot be checked now, send the events again"
      retry   = 2
      status  = 503
    }
    DEFAULT_4XX = {
      code    = "bad_request"
      message = "the request is not one of this API"
      status  = null
    }
    DEFAULT_5XX = {
      code    = "unavailable"
      message = "send the events again"
      retry   = 2
      status  = null
    }
    INVALID_API_KEY = {
      code    = "no_usage_plan"
      message = "the game has no usage plan"
      status  = 403
    }
    MISSING_AUTHENTICATION_TOKEN = {
      code    = "not_found"
      message = "there are POST /v1/events, /applications/{application_id}/events and /v1/compat/{vendor}/..."
      status  = 404
    }
    QUOTA_EXCEEDED = {
      code    = "quota_exceeded"
      message = "the game's requests of this day are used up"
      retry   = 3600
      status  = 429
    }
    REQUEST_TOO_LARGE = {
      code    = "too_large"
      message = "a request has at most 1000000 bytes"
      status  = 413
    }
    THROTTLED = {
      code    = "throttled"
      message = "too many requests of this game, send the events again"
      retry   = 2
      status  = 429
    }
    UNAUTHORIZED = {
      code    = "bad_key"
      message = "no live key of a registered game, <game_id>.<secret> in x-api-key"
      status  = 401
    }
    WAF_FILTERED = {
      code    = "blocked"
      message = "the firewall blocked the request"
      status  = 403
    }
  }
}

resource "aws_api_gateway_gateway_response" "this" {
  for_each = local.responses

  rest_api_id   = aws_api_gateway_rest_api.this.id
  response_type = each.key
  status_code   = each.value.status

  response_parameters = merge(
    { "gatewayresponse.header.cache-control" = "'no-store'" },
    { for name, value in local.cors.error : "gatewayresponse.header.${name}" => "'${value}'" },
    can(each.value.retry) ? { "gatewayresponse.header.retry-after" = "'${each.value.retry}'" } : {},
  )

  response_templates = {
    "application/json" = jsonencode({ error = { code = each.value.code, message = each.value.message } })
  }
}
