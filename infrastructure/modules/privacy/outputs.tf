output "function_name" {
  description = "Function that forgets again."
  value       = module.function.name
}

output "policy" {
  description = "JSON permissions of the function's role, for review."
  value       = module.function.policy
}
