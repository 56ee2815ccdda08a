output "environment" {
  description = "Environment variables of the function."
  value       = module.function.environment
}

output "failure_queue_name" {
  description = "Name of the queue of failed batches, by their position in the stream."
  value       = aws_sqs_queue.failures.name
}

output "function_name" {
  description = "Name of the function."
  value       = module.function.name
}

output "mapping_id" {
  description = "Id of the event source mapping, the dimension of its metrics."
  value       = aws_lambda_event_source_mapping.this.uuid
}

output "policy" {
  description = "JSON permissions of the function's role, for review."
  value       = module.function.policy
}
