output "name" {
  description = "Name of the function."
  value       = module.function.name
}

output "policy" {
  description = "JSON permissions of the function's role, for review."
  value       = module.function.policy
}
