output "alerts_topic_arn" {
  description = "SNS topic that alarms report to."
  value       = module.platform.alerts_topic_arn
}

output "athena_workgroup" {
  description = "Athena workgroup that queries to the lake run in."
  value       = module.platform.athena_workgroup
}

output "batch_state_machine_arn" {
  description = "State machine of the batch runs; null where there are none."
  value       = module.platform.batch_state_machine_arn
}

output "enriched_stream_name" {
  description = "Kinesis stream of valid events."
  value       = module.platform.enriched_stream_name
}

output "ingest_api" {
  description = "REST API that takes events: its id, stage and base URL."
  value       = module.platform.ingest_api
}

output "ingest_usage_plan_id" {
  description = "Usage plan of the REST API that `scripts/games` attaches games to."
  value       = module.platform.ingest_usage_plan_id
}

output "dashboards" {
  description = "QuickSight dashboard and the groups to put users into; null where there are none."
  value       = module.platform.dashboards
}

output "lake_bucket" {
  description = "Bucket of the lake."
  value       = module.platform.lake_bucket
}

output "lake_database" {
  description = "Glue database of the lake's tables."
  value       = module.platform.lake_database
}

output "metrics_api" {
  description = "HTTP API of the metrics: its id and base URL."
  value       = module.platform.metrics_api
}

output "metrics_api_environment" {
  description = "Environment variables of the metrics API: what the app needs to run elsewhere."
  value       = module.platform.metrics_api_environment
}

output "player_state_failure_queue_url" {
  description = "Queue of the batches player_state gave up."
  value       = module.platform.player_state_failure_queue_url
}

output "processor_failure_queue_url" {
  description = "Queue of the batches the processor gave up."
  value       = module.platform.processor_failure_queue_url
}

output "raw_stream_name" {
  description = "Kinesis stream that game servers write to."
  value       = module.platform.raw_stream_name
}

output "realtime_analytics" {
  description = "Runtime properties of the Flink application, and what it writes: a table and a stream."
  value       = module.platform.realtime_analytics
}

output "scheduled_functions" {
  description = "Functions that schedules start, by what they are for."
  value       = module.platform.scheduled_functions
}

output "tables" {
  description = "Names of the DynamoDB tables."
  value       = module.platform.tables
}

output "warehouse" {
  description = "Where the warehouse is and what it is managed by; null where there is none."
  value       = module.platform.warehouse
}
