output "alerts_topic_arn" {
  description = "SNS topic that alarms report to."
  value       = module.alerts.topic_arn
}

output "athena_workgroup" {
  description = "Athena workgroup of queries of the lake."
  value       = module.lake_tables.workgroup
}

output "batch_state_machine_arn" {
  description = "State machine of the batch runs; null where there are none."
  value       = one(module.batch_analytics[*].state_machine_arn)
}

output "enriched_stream_name" {
  description = "Kinesis stream of valid events."
  value       = module.event_stream.enriched.name
}

output "ingest" {
  description = "REST API that takes events: its id, stage and base URL."
  value       = module.ingest.api
}

output "ingest_usage_plan_ids" {
  description = "Usage plan of the REST API that `scripts/games` attaches games to."
  value       = module.ingest.usage_plan_ids
}

output "lake_bucket" {
  description = "Bucket of the lake."
  value       = module.data_lake.bucket.name
}

output "lake_database" {
  description = "Glue database of the lake's tables."
  value       = module.data_lake.database
}

output "metrics_api" {
  description = "HTTP API of the metrics: its id and base URL."
  value       = module.metrics_api.api
}

output "metrics_api_environment" {
  description = "Environment variables of the metrics API: what the app needs to run elsewhere."
  value       = module.metrics_api.environment
}

output "quicksight" {
  description = "QuickSight dashboard and the groups of its users; null where QuickSight is off."
  value = one([
    for quicksight in module.quicksight : { groups = quicksight.groups, id = quicksight.dashboard_id }
  ])
}

output "raw_stream_name" {
  description = "Kinesis stream that game servers write to."
  value       = module.event_stream.raw.name
}

output "realtime_analytics" {
  description = "Runtime properties of the Flink application, and what it writes: a table and a stream."
  value = {
    application_properties = module.realtime_analytics.application_properties
    metrics_stream_name    = module.realtime_analytics.metrics_stream.name
    realtime_table         = module.realtime_analytics.table.name
  }
}

output "scheduled_functions" {
  description = "Functions that schedules start, by their switch in the variable schedules."
  value = {
    advice  = module.performance_advisor.function_name
    erasure = module.privacy.function_name
    quality = module.data_quality.function_name
    reports = module.scheduled_reports.function_name
  }
}

output "sign_in" {
  description = "User pool that people are added to, and the address of the pages; null where nobody signs in."
  value = one([
    for pool in module.sign_in : { page_url = "${module.metrics_api.page.url}/", user_pool_id = pool.user_pool_id }
  ])
}

output "state_functions" {
  description = "Functions that make players, counters and leaderboards of the stream `enriched`."
  value       = [module.leaderboards.function_name, module.player_state.function_name]
}

output "tables" {
  description = "Names of the DynamoDB tables."
  value = {
    boards          = module.leaderboards.tables.boards.name
    dedupe          = module.processor.tables.dedupe.name
    game_days       = module.player_state.tables.game_days.name
    games           = module.game_registry.table.name
    ingest_stats    = module.processor.tables.ingest_stats.name
    leaderboards    = module.leaderboards.tables.leaderboards.name
    players         = module.player_state.tables.players.name
    quality         = module.data_quality.table.name
    quotas          = module.ingest.quotas_table.name
    realtime        = module.realtime_analytics.table.name
    recent_events   = module.processor.tables.recent_events.name
    reports         = module.scheduled_reports.table.name
    saved_questions = module.metrics_api.saved_questions_table.name
  }
}

output "warehouse" {
  description = "Workgroup, subnets and migration function of the warehouse; null where there is none."
  value       = one(module.warehouse[*].warehouse)
}
