output "failure_queue_url" {
  description = "Queue of the invocations that failed for good."
  value       = module.function.failure_queue_url
}

output "function_name" {
  description = "Function that reports; its event is {period, scheduled, games}."
  value       = module.function.name
}

output "policy" {
  description = "JSON permissions of the function's role, for review."
  value       = module.function.policy
}

output "table" {
  description = "Ledger of what was sent."
  value       = module.reports.table
}
