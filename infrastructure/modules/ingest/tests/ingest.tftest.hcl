mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  quota       = { events_a_day = 50000, events_a_minute = 5000 }
  protection  = { deletion = true, point_in_time_recovery = true }
  games_table = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/games", name = "games" }
  raw_stream  = { arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/raw", name = "raw" }
  sizing      = { memory_mb = 1024, timeout_seconds = 15 }
  throttling  = { burst = 200, rate = 100 }
  usage_plan = {
    burst          = 20
    rate           = 10
    requests_a_day = 50000
    unproven       = { burst = 4, rate = 2, requests_a_day = 1000 }
  }
  web_acl_arn = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/example/00000000-0000-4000-8000-000000000000"
}

run "resources" {
  command = plan

  assert {
    condition     = aws_api_gateway_rest_api.this.binary_media_types == tolist(["*/*"])
    error_message = "Bodies must reach the function as bytes."
  }

  assert {
    condition = (
      aws_api_gateway_method_settings.all.settings[0].throttling_rate_limit == 100
      && aws_api_gateway_method_settings.all.settings[0].throttling_burst_limit == 200
    )
    error_message = "Throttling must reach every method."
  }

  assert {
    condition     = !aws_api_gateway_method_settings.all.settings[0].data_trace_enabled
    error_message = "Bodies and keys must not be traced."
  }

  assert {
    condition = !anytrue([
      for word in ["body", "header", "apiKey", "sourceIp"] :
      strcontains(lower(aws_api_gateway_stage.this.access_log_settings[0].format), lower(word))
    ])
    error_message = "Access logs must hold neither bodies nor keys."
  }

  assert {
    condition = toset(regexall(
      "context\\.authorizer\\.[A-Za-z_]+", aws_api_gateway_stage.this.access_log_settings[0].format
    )) == toset(["context.authorizer.game_id", "context.authorizer.key_id"])
    error_message = "Access logs must name the game and the id of its key, and nothing else of the authorizer's answer."
  }

  assert {
    condition = toset([for permission in aws_lambda_permission.api : permission.source_arn]) == toset([
      "${aws_api_gateway_rest_api.this.execution_arn}/live/POST/applications/*/events",
      "${aws_api_gateway_rest_api.this.execution_arn}/live/POST/v1/compat/*/*",
      "${aws_api_gateway_rest_api.this.execution_arn}/live/POST/v1/events",
    ])
    error_message = "Only these methods may invoke the function."
  }

  assert {
    condition = (
      aws_wafv2_web_acl_association.this.resource_arn == aws_api_gateway_stage.this.arn
      && aws_wafv2_web_acl_association.this.web_acl_arn == var.web_acl_arn
    )
    error_message = "The firewall must stand before the stage."
  }

  assert {
    condition     = aws_api_gateway_rest_api.this.endpoint_configuration[0].types == tolist(["EDGE"])
    error_message = "Only the edge replaces a forged country header."
  }

  assert {
    condition = alltrue([
      for group in [aws_cloudwatch_log_group.access, aws_cloudwatch_log_group.execution] :
      group.retention_in_days == 30 && group.kms_key_id == var.settings.kms_key_arns.operations
    ])
    error_message = "Logs must expire and be encrypted with the platform's key."
  }

  assert {
    condition = { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Action } == {
      CountQuotas    = ["dynamodb:UpdateItem"]
      DecryptAtRest  = ["kms:Decrypt"]
      DecryptGames   = ["kms:Decrypt"]
      EncryptRecords = ["kms:GenerateDataKey"]
      PublishEvents  = ["kinesis:PutRecords"]
      ReadGames      = ["dynamodb:BatchGetItem"]
      ReadQuotas     = ["dynamodb:GetItem"]
      WriteLogs      = ["logs:CreateLogStream", "logs:PutLogEvents"]
    }
    error_message = "The function must have these actions and no others."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(output.policy).Statement :
        statement.Sid => statement.Resource
        if startswith(statement.Action[0], "kms:")
      } ==
      {
        DecryptAtRest  = [var.settings.kms_key_arns.operations]
        DecryptGames   = [var.settings.kms_key_arns.credentials]
        EncryptRecords = [var.settings.kms_key_arns.events]
      }
    )
    error_message = "It may use the keys of what it touches, and no other."
  }

  assert {
    condition = (
      { for name, method in aws_api_gateway_method.post : name => [method.authorization, method.api_key_required] } ==
      { compat = ["CUSTOM", true], events = ["CUSTOM", true], guidance = ["CUSTOM", true] }
    )
    error_message = "Every method must want a key and count its game's usage."
  }

  assert {
    condition = { for name, authorizer in aws_api_gateway_authorizer.this : name => authorizer.identity_source } == {
      compat   = "method.request.header.x-api-key"
      events   = "method.request.header.x-api-key"
      guidance = "method.request.header.Authorization"
    }
    error_message = "Keys come in x-api-key, from the guidance's clients in Authorization."
  }

  assert {
    condition = (
      aws_api_gateway_resource.vendor_paths.path_part == "{proxy+}"
      && aws_api_gateway_resource.vendor.path_part == "{vendor}"
      && keys(aws_api_gateway_method.post["compat"].request_parameters) == tolist([
        "method.request.path.proxy", "method.request.path.vendor"
      ])
    )
    error_message = "The function must be told the product and the path that its clients ask for."
  }

  assert {
    condition = alltrue([
      for authorizer in aws_api_gateway_authorizer.this :
      authorizer.type == "REQUEST" && authorizer.authorizer_result_ttl_in_seconds == 60
    ])
    error_message = "The authorizer's answer is kept for a minute, so that a disabled game stops soon."
  }

  assert {
    condition = (
      toset([for permission in aws_lambda_permission.authorizer : permission.source_arn]) ==
      toset([
        for authorizer in aws_api_gateway_authorizer.this :
        "${aws_api_gateway_rest_api.this.execution_arn}/authorizers/${authorizer.id}"
      ])
    )
    error_message = "Only this API's authorizers may ask the function."
  }

  assert {
    #checkov:skip=CKV_SECRET_6:A setting, no key.
    condition     = aws_api_gateway_rest_api.this.api_key_source == "AUTHORIZER"
    error_message = "Clients must not be able to name whose usage is counted."
  }

  assert {
    condition = (
      { for statement in jsondecode(output.authorizer_policy).Statement : statement.Sid => statement.Action } == {
        DecryptAtRest = ["kms:Decrypt"]
        DecryptGames  = ["kms:Decrypt"]
        ReadGames     = ["dynamodb:BatchGetItem"]
        ReadQuotas    = ["dynamodb:GetItem"]
        WriteLogs     = ["logs:CreateLogStream", "logs:PutLogEvents"]
      }
    )
    error_message = "The authorizer must have these actions and no others."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(output.authorizer_policy).Statement :
        statement.Sid => statement.Resource
        if startswith(statement.Action[0], "kms:")
      } ==
      {
        DecryptAtRest = [var.settings.kms_key_arns.operations]
        DecryptGames  = [var.settings.kms_key_arns.credentials]
      }
    )
    error_message = "It may use the keys of what it touches, and no other."
  }

  assert {
    condition = alltrue([
      for plan in aws_api_gateway_usage_plan.this :
      one(plan.api_stages).stage == "live" && one(plan.api_stages).api_id == aws_api_gateway_rest_api.this.id
    ])
    error_message = "The plans must be those of the stage."
  }

  assert {
    condition = {
      for name, plan in aws_api_gateway_usage_plan.this : name => [
        plan.throttle_settings[0].rate_limit, plan.throttle_settings[0].burst_limit,
        one(plan.quota_settings).limit, one(plan.quota_settings).period
      ]
    } == { games = [10, 20, 50000, "DAY"], unproven = [2, 4, 1000, "DAY"] }
    error_message = "Each game must have limits, and smaller ones for requests that show no secret."
  }

  assert {
    condition = alltrue([
      for response in aws_api_gateway_gateway_response.this :
      keys(jsondecode(response.response_templates["application/json"]).error) == ["code", "message"]
    ])
    error_message = "API Gateway's own errors must have the form of the function's."
  }

  assert {
    condition = (
      {
        for kind, response in aws_api_gateway_gateway_response.this :
        kind => response.status_code
        if !startswith(kind, "DEFAULT_")
      } ==
      {
        ACCESS_DENIED                  = "403"
        AUTHORIZER_CONFIGURATION_ERROR = "503"
        AUTHORIZER_FAILURE             = "503"
        INVALID_API_KEY                = "403"
        MISSING_AUTHENTICATION_TOKEN   = "404"
        QUOTA_EXCEEDED                 = "429"
        REQUEST_TOO_LARGE              = "413"
        THROTTLED                      = "429"
        UNAUTHORIZED                   = "401"
        WAF_FILTERED                   = "403"
      }
    )
    error_message = "Clients tell by the status whether to try again."
  }

  assert {
    condition = alltrue([
      for name in ["compat", "events", "guidance"] :
      aws_api_gateway_method.preflight[name].http_method == "OPTIONS"
      && aws_api_gateway_method.preflight[name].authorization == "NONE"
      && coalesce(aws_api_gateway_method.preflight[name].api_key_required, false) == false
    ])
    error_message = "Browsers send preflights without a key."
  }

  assert {
    condition = alltrue([
      for integration in aws_api_gateway_integration.preflight :
      integration.type == "MOCK" && integration.content_handling == "CONVERT_TO_TEXT"
      && jsondecode(integration.request_templates["application/json"]).statusCode == 204
    ])
    error_message = "API Gateway must answer preflights itself. With binary bodies its template needs text."
  }

  assert {
    condition = alltrue([
      for response in aws_api_gateway_integration_response.preflight :
      response.status_code == "204" && response.response_parameters == tomap({
        "method.response.header.access-control-allow-headers" = (
          "'authorization,content-encoding,content-type,x-api-key,x-signature'"
        )
        "method.response.header.access-control-allow-methods" = "'POST'"
        "method.response.header.access-control-allow-origin"  = "'*'"
        "method.response.header.access-control-max-age"       = "'7200'"
      })
    ])
    error_message = "A preflight must allow POST with the headers of the clients, from any origin."
  }

  assert {
    condition = alltrue([
      for name, response in aws_api_gateway_method_response.preflight :
      keys(response.response_parameters) == keys(
        aws_api_gateway_integration_response.preflight[name].response_parameters
      )
    ])
    error_message = "API Gateway drops headers that the method does not declare."
  }

  assert {
    condition = alltrue([
      for response in aws_api_gateway_gateway_response.this :
      response.response_parameters["gatewayresponse.header.access-control-allow-origin"] == "'*'"
      && response.response_parameters["gatewayresponse.header.access-control-expose-headers"] == "'date,retry-after'"
    ])
    error_message = "A page must be able to read why its request was refused, and when to send again."
  }

  assert {
    condition = (
      toset([for kind in ["DEFAULT_4XX", "DEFAULT_5XX"] : aws_api_gateway_gateway_response.this[kind].response_type]) ==
      toset(["DEFAULT_4XX", "DEFAULT_5XX"])
    )
    error_message = "Every other error must have the form too."
  }

  assert {
    condition = (
      toset([
        for kind, response in aws_api_gateway_gateway_response.this :
        kind
        if can(response.response_parameters["gatewayresponse.header.retry-after"])
      ]) ==
      toset(["AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE", "DEFAULT_5XX", "QUOTA_EXCEEDED", "THROTTLED"])
    )
    error_message = "Clients must be told when to send again, and only where that helps."
  }

  assert {
    condition = (
      {
        for name, alarm in aws_cloudwatch_metric_alarm.api :
        name => [alarm.metric_name, coalesce(alarm.statistic, alarm.extended_statistic), tostring(alarm.threshold)]
      } ==
      {
        "4xx"   = ["4XXError", "Average", "0.25"]
        "5xx"   = ["5XXError", "Average", "0.01"]
        latency = ["Latency", "p99", "2000"]
      }
    )
    error_message = "The API must be watched for refusals, failures and latency."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.api :
      alarm.namespace == "AWS/ApiGateway"
      && alarm.dimensions == tomap({ ApiName = aws_api_gateway_rest_api.this.name, Stage = local.stage })
      && alarm.alarm_actions == toset([var.settings.alerts_topic_arn])
      && endswith(alarm.alarm_description, ": docs/runbooks/apis.md")
    ])
    error_message = "Each alarm must watch this API, report, and name its runbook."
  }
}

run "usage_not_enforced" {
  command = plan

  assert {
    condition = alltrue(
      [for method in aws_api_gateway_method.post : !method.api_key_required && method.authorization == "CUSTOM"]
    )
    error_message = "Without usage keys, the games' own keys must still be checked."
  }

  variables {
    usage_plan = { burst = 50, enforced = false, rate = 50, requests_a_day = 50000 }
  }
}

run "no_requests" {
  command         = plan
  expect_failures = [var.usage_plan]

  variables {
    usage_plan = { burst = 0, rate = 0, requests_a_day = 0 }
  }
}

run "unthrottled" {
  command         = plan
  expect_failures = [var.throttling]

  variables {
    throttling = { burst = 0, rate = 0 }
  }
}

run "traced" {
  command = plan

  variables {
    settings = {
      alerts_topic_arn = "arn:aws:sns:eu-west-1:111122223333:alerts"
      kms_key_arns = {
        for name in ["credentials", "events", "operations"] : name => "arn:aws:kms:eu-west-1:111122223333:key/${name}"
      }
      layer_arns         = []
      log_level          = "INFO"
      log_retention_days = 30
      name_prefix        = "demo-test"
      packages_bucket    = "demo-test-lake"
      packages_directory = "../../testing/packages"
      tracing            = true
    }
  }

  assert {
    condition = (
      aws_xray_sampling_rule.this[0].service_name == "demo-test-ingest/live"
      && aws_xray_sampling_rule.this[0].fixed_rate < 0.05
      && aws_xray_sampling_rule.this[0].reservoir_size == 0
    )
    error_message = "Traces must be fewer than X-Ray's own rule takes: one a second costs more than the gateway."
  }
}

run "as_much_without_a_secret" {
  command         = plan
  expect_failures = [var.usage_plan]

  variables {
    usage_plan = {
      burst          = 20
      rate           = 10
      requests_a_day = 50000
      unproven       = { burst = 20, rate = 10, requests_a_day = 50000 }
    }
  }
}

run "quota_of_no_request" {
  command         = plan
  expect_failures = [var.quota]

  variables {
    quota = { events_a_day = 1000, events_a_minute = 1000 }
  }
}

run "minute_above_the_day" {
  command         = plan
  expect_failures = [var.quota]

  variables {
    quota = { events_a_day = 3000, events_a_minute = 4000 }
  }
}
