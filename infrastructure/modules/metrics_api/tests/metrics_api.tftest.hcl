mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account = {
    id        = "111122223333"
    partition = "aws"
    region    = "eu-west-1"
  }

  ingest_url = "https://mockrest.execute-api.eu-west-1.amazonaws.com/live"

  lake = {
    bucket   = { arn = "arn:aws:s3:::lake", name = "lake" }
    database = "demo_test_lake"
    tables   = ["daily", "events"]
  }

  leaderboards_by_rank_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/leaderboards/index/by_rank"
  protection               = { deletion = true, point_in_time_recovery = true }
  sizing                   = { memory_mb = 1024, timeout_seconds = 15 }
  throttling               = { burst = 100, rate = 50 }

  tables = {
    boards        = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/boards", name = "boards" }
    game_days     = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/game-days", name = "game-days" }
    games         = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/games", name = "games" }
    ingest_stats  = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/ingest-stats", name = "ingest-stats" }
    leaderboards  = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/leaderboards", name = "leaderboards" }
    players       = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/players", name = "players" }
    quality       = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/quality", name = "quality" }
    realtime      = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/realtime", name = "realtime" }
    recent_events = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/recent-events", name = "recent-events" }
  }
}

run "resources" {
  command = plan

  assert {
    condition     = aws_apigatewayv2_route.default.authorization_type == "AWS_IAM"
    error_message = "Requests must be signed."
  }

  assert {
    condition = (
      aws_apigatewayv2_stage.default.default_route_settings[0].throttling_rate_limit == 50
      && aws_apigatewayv2_stage.default.default_route_settings[0].throttling_burst_limit == 100
    )
    error_message = "Throttling must reach the route."
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.access.retention_in_days == 30
      && aws_cloudwatch_log_group.access.kms_key_id == var.settings.kms_key_arns.operations
    )
    error_message = "Logs must expire and be encrypted with the platform's key."
  }

  assert {
    condition = { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Action } == {
      AskAthena = [
        "athena:GetQueryExecution", "athena:GetQueryResults", "athena:StartQueryExecution", "athena:StopQueryExecution",
      ]
      DecryptAtRest = ["kms:Decrypt"]
      DecryptLake   = ["kms:Decrypt", "kms:GenerateDataKey"]
      DecryptTables = ["kms:Decrypt"]
      FindLake      = ["s3:GetBucketLocation", "s3:ListBucket"]
      ListGames     = ["dynamodb:Scan"]
      KeepQuestions = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]
      KeepResults = [
        "s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject",
      ]
      QueryCounts       = ["dynamodb:Query"]
      QueryEvents       = ["dynamodb:Query"]
      QueryLeaderboards = ["dynamodb:Query"]
      QueryWindows      = ["dynamodb:GetItem", "dynamodb:Query"]
      ReadEntries       = ["dynamodb:BatchGetItem"]
      ReadItems         = ["dynamodb:GetItem"]
      ReadLake          = ["s3:GetObject"]
      ReadLakeTables    = ["glue:GetDatabase", "glue:GetTable"]
      WriteLogs         = ["logs:CreateLogStream", "logs:PutLogEvents"]
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
        DecryptAtRest = [var.settings.kms_key_arns.operations]
        DecryptLake   = [var.settings.kms_key_arns.events]
        DecryptTables = [var.settings.kms_key_arns.credentials, var.settings.kms_key_arns.players]
      }
    )
    error_message = "It may use the keys of what it touches, and no other."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(output.policy).Statement :
        statement.Sid => statement.Resource
        if contains(["AskAthena", "KeepResults", "ReadLake", "ReadLakeTables"], statement.Sid)
      } ==
      {
        AskAthena   = ["arn:aws:athena:eu-west-1:111122223333:workgroup/demo-test-metrics-api"]
        KeepResults = ["arn:aws:s3:::lake/athena-results/metrics-api/*"]
        ReadLake    = ["arn:aws:s3:::lake/gold/*", "arn:aws:s3:::lake/silver/*"]
        ReadLakeTables = [
          "arn:aws:glue:eu-west-1:111122223333:catalog",
          "arn:aws:glue:eu-west-1:111122223333:database/demo_test_lake",
          "arn:aws:glue:eu-west-1:111122223333:table/demo_test_lake/daily",
          "arn:aws:glue:eu-west-1:111122223333:table/demo_test_lake/events",
        ]
      }
    )
    error_message = "It may read gold, silver and its own results, and neither bronze nor results of others."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(output.policy).Statement :
        statement.Sid => statement.Resource
        if length(setintersection(statement.Action, ["dynamodb:DeleteItem", "dynamodb:PutItem"])) > 0
      } ==
      { KeepQuestions = [output.saved_questions_table.arn] }
    )
    error_message = "It may write saved questions, and no other table."
  }

  assert {
    condition = (
      module.saved_questions.configuration.kms_key_arn == var.settings.kms_key_arns.players
      && module.saved_questions.configuration.deletion_protection
      && module.saved_questions.configuration.point_in_time_recovery
      && !module.saved_questions.configuration.expires
      && module.saved_questions.configuration.hash_key == "game_id"
      && module.saved_questions.configuration.range_key == "name"
    )
    error_message = "Saved questions must be encrypted with the key of free text, stay, and be restored."
  }

  assert {
    condition = (
      aws_athena_workgroup.this.name == "demo-test-metrics-api"
      && aws_athena_workgroup.this.configuration[0].bytes_scanned_cutoff_per_query == 10 * 1024 * 1024 * 1024
      && aws_athena_workgroup.this.configuration[0].enforce_workgroup_configuration
    )
    error_message = "Each query must scan a limited amount."
  }

  assert {
    condition = (
      one(aws_athena_workgroup.this.configuration[0].result_configuration).output_location
      == "s3://lake/athena-results/metrics-api/"
      && one(one(aws_athena_workgroup.this.configuration[0].result_configuration).encryption_configuration).kms_key_arn
      == var.settings.kms_key_arns.events
    )
    error_message = "Results must be encrypted, where the lake lets them expire."
  }

  assert {
    condition = (
      output.environment["ATHENA_WORKGROUP"] == "demo-test-metrics-api"
      && output.environment["LAKE_DATABASE"] == "demo_test_lake"
    )
    error_message = "The environment must name the workgroup and the database of the lake."
  }

  assert {
    condition = (
      output.environment["PLAYERS_TABLE"] == "players" && output.environment["POWERTOOLS_SERVICE_NAME"] == "metrics_api"
    )
    error_message = "The environment must name the tables."
  }

  assert {
    condition = (
      module.metrics_api.environment["ALLOWED_HOSTS"] == jsonencode(["*"])
      && !contains(keys(output.environment), "ALLOWED_HOSTS")
    )
    error_message = "Only behind API Gateway, which demands signatures, may the app answer by every name."
  }

  assert {
    condition = (
      length(aws_apigatewayv2_authorizer.people) == 0 && length(aws_apigatewayv2_route.page) == 0
      && length(aws_apigatewayv2_route.signed_in) == 0 && module.metrics_api.environment["SIGN_IN_CLIENT_ID"] == ""
    )
    error_message = "Where nobody signs in, there is no way in without a signature."
  }

  assert {
    condition = (
      {
        for name, alarm in aws_cloudwatch_metric_alarm.api :
        name => [alarm.metric_name, coalesce(alarm.statistic, alarm.extended_statistic), tostring(alarm.threshold)]
      } ==
      {
        "4xx"   = ["4xx", "Average", "0.25"]
        "5xx"   = ["5xx", "Average", "0.01"]
        latency = ["Latency", "p99", "3000"]
      }
    )
    error_message = "The API must be watched for refusals, failures and latency."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.api :
      alarm.namespace == "AWS/ApiGateway"
      && alarm.dimensions == tomap({ ApiId = output.api.id, Stage = aws_apigatewayv2_stage.default.name })
      && alarm.alarm_actions == toset([var.settings.alerts_topic_arn])
      && endswith(alarm.alarm_description, ": docs/runbooks/apis.md")
    ])
    error_message = "Each alarm must watch this API, report, and name its runbook."
  }
}

run "people_sign_in" {
  command = plan

  variables {
    sign_in = [{
      id     = "3ho4ek12345678909nh3fmhpko"
      issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"
      scope  = "metrics/use"
      url    = "https://demo-test-111122223333.auth.eu-west-1.amazoncognito.com"
    }]
  }

  assert {
    condition = (
      aws_apigatewayv2_route.default.authorization_type == "AWS_IAM"
      && aws_apigatewayv2_route.default.route_key == "$default"
    )
    error_message = "All other requests must still be signed."
  }

  assert {
    condition = (
      aws_apigatewayv2_authorizer.people[0].authorizer_type == "JWT"
      && aws_apigatewayv2_authorizer.people[0].identity_sources == toset(["$request.header.Authorization"])
      && aws_apigatewayv2_authorizer.people[0].jwt_configuration[0].audience == toset([var.sign_in[0].id])
      && aws_apigatewayv2_authorizer.people[0].jwt_configuration[0].issuer == var.sign_in[0].issuer
    )
    error_message = "Tokens of another pool or client must be refused, and none is taken from an address."
  }

  assert {
    condition = (
      {
        for key, route in aws_apigatewayv2_route.signed_in :
        key => "${route.authorization_type} ${join(" ", route.authorization_scopes)}"
      } ==
      {
        "DELETE /signed-in/v1/games/{game_id}/queries/{id}"     = "JWT metrics/use"
        "DELETE /signed-in/v1/games/{game_id}/questions/{name}" = "JWT metrics/use"
        "GET /signed-in/v1/{proxy+}"                            = "JWT metrics/use"
        "POST /signed-in/v1/games/{game_id}/explore"            = "JWT metrics/use"
        "PUT /signed-in/v1/games/{game_id}/annotations"         = "JWT metrics/use"
        "PUT /signed-in/v1/games/{game_id}/dashboard"           = "JWT metrics/use"
        "PUT /signed-in/v1/games/{game_id}/questions/{name}"    = "JWT metrics/use"
      }
      && alltrue([
        for route in aws_apigatewayv2_route.signed_in :
        route.authorizer_id == aws_apigatewayv2_authorizer.people[0].id
      ])
    )
    error_message = "Data must need an access token with the scope: an ID token has none."
  }

  assert {
    condition = (
      { for key, route in aws_apigatewayv2_route.page : key => route.authorization_type } ==
      { for path in concat(tolist(output.page.pages), ["/page/{proxy+}"]) : "GET ${path}" => "NONE" }
      && alltrue([for path in output.page.pages : can(regex("^/[a-z]*$", path))])
    )
    error_message = "Only the pages may be open."
  }

  assert {
    condition = (
      output.page.url == aws_apigatewayv2_api.this.api_endpoint
      && length(setsubtract(["/", "/explore", "/overview"], output.page.pages)) == 0
    )
    error_message = "People must come back from the sign-in page to the pages."
  }

  assert {
    condition = (
      module.metrics_api.environment["SIGN_IN_CLIENT_ID"] == var.sign_in[0].id
      && module.metrics_api.environment["SIGN_IN_ISSUER"] == var.sign_in[0].issuer
      && module.metrics_api.environment["SIGN_IN_SCOPE"] == var.sign_in[0].scope
      && module.metrics_api.environment["SIGN_IN_URL"] == var.sign_in[0].url
      && !anytrue([for name in keys(output.environment) : startswith(name, "SIGN_IN_")])
    )
    error_message = "The function must know whose tokens it gets. Elsewhere nobody checks them, so nobody is told."
  }

  assert {
    condition = (
      jsondecode(aws_apigatewayv2_stage.default.access_log_settings[0].format).person
      == "$context.authorizer.claims.sub"
      && aws_lambda_permission.api.source_arn == "${aws_apigatewayv2_api.this.execution_arn}/*/*"
    )
    error_message = "The log must name who asked, and the function answers this API only."
  }
}

run "token_of_any_client" {
  command         = plan
  expect_failures = [var.sign_in]

  variables {
    sign_in = [{
      id     = ""
      issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"
      scope  = "metrics/use"
      url    = "https://demo-test-111122223333.auth.eu-west-1.amazoncognito.com"
    }]
  }
}

run "tokens_of_two_pools" {
  command         = plan
  expect_failures = [var.sign_in]

  variables {
    sign_in = [
      { id = "one", issuer = "https://one", scope = "metrics/use", url = "https://one" },
      { id = "two", issuer = "https://two", scope = "metrics/use", url = "https://two" },
    ]
  }
}

run "unthrottled" {
  command         = plan
  expect_failures = [var.throttling]

  variables {
    throttling = { burst = 0, rate = 0 }
  }
}

run "unlimited_scans" {
  command         = plan
  expect_failures = [var.lake]

  variables {
    lake = {
      bucket        = { arn = "arn:aws:s3:::lake", name = "lake" }
      database      = "demo_test_lake"
      scan_limit_gb = 0
      tables        = ["daily"]
    }
  }
}
