output "arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.this.arn
}

output "environment" {
  description = "Environment variables of the function."
  value       = aws_lambda_function.this.environment[0].variables
}

output "invoke_arn" {
  description = "ARN through which API Gateway invokes the function."
  value       = aws_lambda_function.this.invoke_arn
}

output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "policy" {
  description = "JSON permissions of the function's role, for review."
  value       = module.role.policy
}
