module "ingest" {
  source = "../lambda_function"

  description       = "Takes events over HTTPS and puts them on the raw stream."
  name              = "ingest"
  policy_statements = local.policy_statements
  settings          = var.settings
  sizing            = var.sizing

  environment = {
    COUNTRY_HEADER = "CloudFront-Viewer-Country"
    GAMES_TABLE    = var.games_table.name
    LIMITS         = jsonencode(var.quota)
    QUOTAS_TABLE   = module.quotas.table.name
    RAW_STREAM     = var.raw_stream.name
  }
}

resource "aws_lambda_permission" "api" {
  for_each = toset(["v1/events", "v1/compat/*/*", "applications/*/events"])

  action        = "lambda:InvokeFunction"
  function_name = module.ingest.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/${local.stage}/POST/${each.key}"
}

module "authorizer" {
  source = "../lambda_function"

  description       = "Checks the key of a game for the REST API."
  name              = "authorizer"
  policy_statements = { for sid in ["DecryptGames", "ReadGames", "ReadQuotas"] : sid => local.policy_statements[sid] }
  settings          = var.settings
  sizing            = { memory_mb = 512, timeout_seconds = 10 }

  environment = {
    GAMES_TABLE  = var.games_table.name
    QUOTAS_TABLE = module.quotas.table.name
  }
}

resource "aws_lambda_permission" "authorizer" {
  for_each = aws_api_gateway_authorizer.this

  action        = "lambda:InvokeFunction"
  function_name = module.authorizer.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/authorizers/${each.value.id}"
}
