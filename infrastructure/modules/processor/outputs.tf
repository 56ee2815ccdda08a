output "failure_queue" {
  description = "Queue of the batches the processor gave up, by their position in the stream."
  value       = module.processor.failure_queue
}

output "function_name" {
  description = "Name of the processor."
  value       = module.processor.function_name
}

output "mapping_id" {
  description = "Id of the event source mapping, which its metrics are named by."
  value       = module.processor.mapping_id
}

output "policy" {
  description = "JSON permissions of the processor's role, for review."
  value       = module.processor.policy
}

output "tables" {
  description = "Tables of claimed event ids and of counts of what arrived."
  value = {
    dedupe       = { arn = aws_dynamodb_table.dedupe.arn, name = aws_dynamodb_table.dedupe.name }
    ingest_stats = { arn = aws_dynamodb_table.ingest_stats.arn, name = aws_dynamodb_table.ingest_stats.name }
  }
}
