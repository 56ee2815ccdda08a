output "failure_queue_name" {
  description = "Name of the queue of failed batches, by their position in the stream."
  value       = module.processor.failure_queue_name
}

output "function_name" {
  description = "Name of the processor."
  value       = module.processor.function_name
}

output "mapping_id" {
  description = "Id of the event source mapping, the dimension of its metrics."
  value       = module.processor.mapping_id
}

output "policy" {
  description = "JSON permissions of the processor's role, for review."
  value       = module.processor.policy
}

output "tables" {
  description = "Tables of claimed event ids, of counts of arrived events, and of recent events."
  value = {
    dedupe        = module.dedupe.table
    ingest_stats  = module.ingest_stats.table
    recent_events = module.recent_events.table
  }
}
