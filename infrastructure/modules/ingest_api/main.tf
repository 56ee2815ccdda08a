module "ingest" {
  source = "../lambda_function"

  description       = "Takes events over HTTPS and puts them on the raw stream."
  name              = "ingest"
  policy_statements = local.policy_statements
  settings          = var.settings
  sizing            = var.sizing

  environment = {
    GAMES_TABLE = var.games_table.name
    RAW_STREAM  = var.raw_stream.name
  }
}

resource "aws_lambda_permission" "api" {
  statement_id  = "AllowApi"
  action        = "lambda:InvokeFunction"
  function_name = module.ingest.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/${local.stage}/POST/v1/events"
}
