mock_provider "aws" {
  source = "../../testing"
}

variables {
  games_table = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/games", name = "games" }
  raw_stream  = { arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/raw", name = "raw" }
  sizing      = { memory_mb = 1024, timeout_seconds = 15 }
  throttling  = { burst = 200, rate = 100 }

  settings = {
    kms_key_arn        = "arn:aws:kms:eu-west-1:111122223333:key/example"
    layer_arns         = []
    log_level          = "INFO"
    log_retention_days = 30
    name_prefix        = "demo-test"
    packages_directory = "../../testing/packages"
    tracing            = false
  }
}

run "api" {
  assert {
    condition     = aws_api_gateway_rest_api.this.binary_media_types == tolist(["*/*"])
    error_message = "Bodies must reach the function as bytes."
  }

  assert {
    condition     = aws_api_gateway_method_settings.all.settings[0].throttling_rate_limit == 100 && aws_api_gateway_method_settings.all.settings[0].throttling_burst_limit == 200
    error_message = "Throttling must reach every method."
  }

  assert {
    condition     = !aws_api_gateway_method_settings.all.settings[0].data_trace_enabled
    error_message = "Bodies and keys must not be traced."
  }

  assert {
    condition = !anytrue([
      for word in ["body", "header", "apiKey", "authorizer"] : strcontains(lower(aws_api_gateway_stage.this.access_log_settings[0].format), lower(word))
    ])
    error_message = "Access logs must hold neither bodies nor keys."
  }

  assert {
    condition     = endswith(aws_lambda_permission.api.source_arn, "/live/POST/v1/events")
    error_message = "Only this method may invoke the function."
  }

  assert {
    condition     = alltrue([for group in [aws_cloudwatch_log_group.access, aws_cloudwatch_log_group.execution] : group.retention_in_days == 30 && group.kms_key_id == var.settings.kms_key_arn])
    error_message = "Logs must expire and be encrypted with the platform's key."
  }

  assert {
    condition = { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Action } == {
      DecryptAtRest  = ["kms:Decrypt"]
      EncryptRecords = ["kms:GenerateDataKey"]
      PublishEvents  = ["kinesis:PutRecords"]
      ReadGames      = ["dynamodb:BatchGetItem"]
      WriteLogs      = ["logs:CreateLogStream", "logs:PutLogEvents"]
    }
    error_message = "The function must have these actions and no others."
  }
}

run "unthrottled" {
  command         = plan
  expect_failures = [var.throttling]

  variables {
    throttling = { burst = 0, rate = 0 }
  }
}
