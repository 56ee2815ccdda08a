output "arn" {
  description = "ARN of the function."
  value       = module.function.arn
}

output "failure_queue_url" {
  description = "Queue of failed runs."
  value       = module.failures.url
}

output "name" {
  description = "Name of the function."
  value       = module.function.name
}

output "policy" {
  description = "JSON permissions of the function's role, for review."
  value       = module.function.policy
}
