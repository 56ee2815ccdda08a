output "api" {
  description = "REST API: its id, name, stage and base URL."
  value = {
    id    = aws_api_gateway_rest_api.this.id
    name  = aws_api_gateway_rest_api.this.name
    stage = aws_api_gateway_stage.this.stage_name
    url   = aws_api_gateway_stage.this.invoke_url
  }
}

output "authorizer_policy" {
  description = "JSON permissions of the authorizer's role, for review."
  value       = module.authorizer.policy
}

output "function_names" {
  description = "Names of the function behind the API and of its authorizer."
  value       = [module.ingest.name, module.authorizer.name]
}

output "policy" {
  description = "JSON permissions of the function's role, for review."
  value       = module.ingest.policy
}

output "quotas_table" {
  description = "Table of what the keys of games have sent, in events."
  value       = module.quotas.table
}

output "usage_plan_ids" {
  description = "Usage plans that `scripts/games` attaches games to: `games`, and `unproven` for requests without a secret."
  value       = { for name, plan in aws_api_gateway_usage_plan.this : name => plan.id }
}
