output "function_name" {
  description = "Name of the function. Its event is {period, scheduled, games}."
  value       = module.function.name
}

output "policy" {
  description = "JSON permissions of the function's role, for review."
  value       = module.function.policy
}

output "table" {
  description = "Table of sent reports."
  value       = module.reports.table
}
