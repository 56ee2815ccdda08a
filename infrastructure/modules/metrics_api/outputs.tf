output "api" {
  description = "HTTP API: its id, stage and base URL."
  value = {
    id    = aws_apigatewayv2_api.this.id
    stage = aws_apigatewayv2_stage.default.name
    url   = aws_apigatewayv2_stage.default.invoke_url
  }
}

output "environment" {
  description = "Environment variables of the function: what the app needs to run elsewhere."
  # Elsewhere nobody checks signatures and tokens: the app then answers by the names of its own machine.
  value = tomap({
    for name, value in module.metrics_api.environment :
    name => value if name != "ALLOWED_HOSTS" && !startswith(name, "SIGN_IN_")
  })
}

output "function_name" {
  description = "Name of the function behind the API."
  value       = module.metrics_api.name
}

# Not the stage's URL: the stage waits for nothing, but whoever uses this must not wait for the routes.
output "page" {
  description = "Base URL of the pages without a slash at its end, and their paths."
  value       = { pages = local.pages, url = aws_apigatewayv2_api.this.api_endpoint }
}

output "policy" {
  description = "JSON permissions of the function's role, for review."
  value       = module.metrics_api.policy
}

output "saved_questions_table" {
  description = "Table of the questions that people saved."
  value       = module.saved_questions.table
}

output "workgroup" {
  description = "Workgroup of Athena that limits what a query may scan, and the prefix of its results in the lake."
  value = {
    arn     = "${local.athena}:workgroup/${aws_athena_workgroup.this.name}"
    name    = aws_athena_workgroup.this.name
    results = local.results
  }
}
