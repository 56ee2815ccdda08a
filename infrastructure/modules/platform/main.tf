data "aws_availability_zones" "this" {
  #checkov:skip=CKV_AWS_394:The first three by name are used, and the warehouse can name its own: a new zone changes nothing.
  count = var.lake.warehouse.enabled ? 1 : 0

  state = "available"

  # Leaves out local zones, which no Redshift is in.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  name_prefix = "${var.project}-${var.environment}"

  account = {
    id        = data.aws_caller_identity.this.account_id
    partition = data.aws_partition.this.partition
    region    = data.aws_region.this.name
  }

  boundary_arn = var.protection.permissions_boundary == "" ? "" : "arn:${local.account.partition}:iam::${local.account.id}:policy/${var.protection.permissions_boundary}"

  # Those that are named, else the first three of the region; us-west-1 has two.
  availability_zones = (
    length(var.lake.warehouse.availability_zones) > 0
    ? [for letter in sort(var.lake.warehouse.availability_zones) : "${local.account.region}${letter}"]
    : [for number, name in sort(flatten(data.aws_availability_zones.this[*].names)) : name if number < 3]
  )

  consumers = { player_state = module.player_state, processor = module.processor }

  function_settings = {
    alerts_topic_arn   = module.alerts.topic_arn
    boundary_arn       = local.boundary_arn
    code_signing_arn   = var.protection.code_signing_arn
    kms_key_arns       = module.security.kms_key_arns
    layer_arns         = [module.telemetry_layer.arn]
    log_level          = var.logging.level
    log_retention_days = var.logging.retention_days
    name_prefix        = local.name_prefix
    packages_directory = var.packages_directory
    tracing            = false
  }

  # X-Ray takes at least one run a second of a function that no traced request reaches: more than the function costs
  # at a small load, for what its metrics tell (docs/adr/0021-what-prod-costs.md).
  traced_settings = merge(local.function_settings, { tracing = var.logging.tracing })

  shards  = { enriched = var.streams.enriched_shards, raw = var.streams.raw_shards }
  streams = { enriched = module.event_stream.enriched, raw = module.event_stream.raw }

  scaled_shards = { for name, shards in local.shards : name => shards if shards != null && var.streams.maximum_shards != null }

  table_protection = {
    deletion               = var.protection.deletion
    point_in_time_recovery = var.protection.point_in_time_recovery
  }

  # Base capacity awake all day, at us-east-1's price (scripts/tools/costs/prices.json).
  warehouse_usd_a_month = 730 * 0.375 * coalesce(try(var.lake.warehouse.capacity.base_rpu, null), 8)
}

module "security" {
  source = "../security"

  account              = local.account
  deletion_window_days = var.protection.key_deletion_window_days
  name_prefix          = local.name_prefix
}

module "event_stream" {
  source = "../event_stream"

  kms_key_arn     = module.security.kms_key_arns.events
  name_prefix     = local.name_prefix
  retention_hours = var.streams.retention_hours
  shard_counts    = local.shards
}

module "stream_scaling" {
  source = "../stream_scaling"
  count  = length(local.scaled_shards) > 0 ? 1 : 0

  account_id = local.account.id
  settings   = local.function_settings

  streams = {
    for name, shards in local.scaled_shards : local.streams[name].name => {
      arn     = local.streams[name].arn
      maximum = var.streams.maximum_shards
      minimum = shards
    }
  }
}

module "data_lake" {
  source = "../data_lake"

  alerts_topic_arn   = module.alerts.topic_arn
  account_id         = data.aws_caller_identity.this.account_id
  boundary_arn       = local.boundary_arn
  buffering          = var.lake.buffering
  force_destroy      = !var.protection.deletion
  kms_key_arns       = module.security.kms_key_arns
  log_retention_days = var.logging.retention_days
  name_prefix        = local.name_prefix
  retention          = var.lake.retention
}

module "alerts" {
  source = "../alerts"

  account_id      = data.aws_caller_identity.this.account_id
  email_addresses = var.alerts.email_addresses
  kms_key_arn     = module.security.kms_key_arns.operations
  name_prefix     = local.name_prefix
}

module "telemetry_layer" {
  source = "../lambda_layer"

  name               = "telemetry"
  name_prefix        = local.name_prefix
  packages_directory = var.packages_directory
}

module "game_registry" {
  source = "../game_registry"

  alerts_topic_arn = module.alerts.topic_arn
  kms_key_arn      = module.security.kms_key_arns.credentials
  name_prefix      = local.name_prefix
  protection       = local.table_protection
}

module "ingest" {
  source = "../ingest"

  games_table = module.game_registry.table
  raw_stream  = module.event_stream.raw
  settings    = local.traced_settings
  sizing      = var.ingest.sizing
  throttling  = var.ingest.throttling
  usage_plan  = var.ingest.usage_plan
  web_acl_arn = module.web_firewall.web_acl_arn
}

module "web_firewall" {
  source = "../web_firewall"

  kms_key_arn         = module.security.kms_key_arns.operations
  log_blocked         = var.ingest.log_blocked
  log_retention_days  = var.logging.retention_days
  name_prefix         = local.name_prefix
  requests_per_minute = var.ingest.requests_per_minute_and_address
}

module "processor" {
  source = "../processor"

  consumer            = var.processor
  dedupe_window_hours = var.dedupe_window_hours
  delivery_streams    = module.data_lake.delivery_streams
  enriched_stream     = module.event_stream.enriched
  games_table         = module.game_registry.table
  protection          = local.table_protection
  raw_stream_arn      = module.event_stream.raw.arn
  reject_rate_alarm   = var.alerts.reject_rate
  settings            = local.function_settings
}

module "player_state" {
  source = "../player_state"

  consumer            = var.player_state
  enriched_stream_arn = module.event_stream.enriched.arn
  name_limits         = var.name_limits
  protection          = local.table_protection
  settings            = local.function_settings
}

module "realtime_analytics" {
  source = "../realtime_analytics"

  account             = local.account
  alert_thresholds    = var.realtime_analytics.alert_thresholds
  application         = var.realtime_analytics.application
  code_bucket         = module.data_lake.bucket
  deliver_alerts      = var.realtime_analytics.deliver_alerts
  enriched_stream_arn = module.event_stream.enriched.arn
  metrics_stream      = { shards = var.streams.metrics_shards }
  protection          = local.table_protection
  retention_hours     = var.realtime_analytics.retention_hours
  settings            = local.function_settings
  vpc                 = var.realtime_analytics.vpc
  windows             = var.realtime_analytics.windows
}

module "lake_tables" {
  source = "../lake_tables"

  account       = local.account
  bucket        = module.data_lake.bucket
  database      = module.data_lake.database
  force_destroy = !var.protection.deletion
  optimize      = var.lake.optimize
  scan_limit_gb = var.lake.scan_limit_gb
  settings      = local.function_settings
}

module "batch_analytics" {
  source = "../batch_analytics"
  count  = var.lake.batch.enabled ? 1 : 0

  account          = local.account
  alerts_topic_arn = module.alerts.topic_arn
  job              = var.lake.batch.job
  schedule         = var.lake.batch.schedule
  settings         = local.traced_settings

  lake = {
    arn      = module.data_lake.bucket.arn
    database = module.data_lake.database
    name     = module.data_lake.bucket.name
    tables   = module.lake_tables.tables
  }
}

module "metrics_api" {
  source = "../metrics_api"

  leaderboards_by_rank_arn = module.player_state.leaderboards_by_rank_arn
  settings                 = local.function_settings
  sizing                   = var.metrics_api.sizing
  throttling               = var.metrics_api.throttling

  tables = {
    boards       = module.player_state.tables.boards
    game_days    = module.player_state.tables.game_days
    games        = module.game_registry.table
    ingest_stats = module.processor.tables.ingest_stats
    leaderboards = module.player_state.tables.leaderboards
    players      = module.player_state.tables.players
    quality      = module.data_quality.table
    realtime     = module.realtime_analytics.table
  }
}

module "quicksight" {
  source = "../dashboards"
  count  = var.lake.dashboards.enabled ? 1 : 0

  account         = local.account
  boundary_arn    = local.boundary_arn
  defaults        = var.lake.dashboards.defaults
  groups          = var.lake.dashboards.groups
  identity_region = var.lake.dashboards.identity_region
  kms_key_arn     = module.security.kms_key_arns.events
  name_prefix     = local.name_prefix
  refresh         = var.lake.dashboards.refresh
  warehouse       = var.lake.dashboards.warehouse

  lake = {
    bucket    = module.data_lake.bucket.name
    database  = module.data_lake.database
    workgroup = module.lake_tables.workgroup
  }
}

module "network" {
  source = "../network"
  count  = var.lake.warehouse.enabled ? 1 : 0

  account            = local.account
  availability_zones = local.availability_zones
  boundary_arn       = local.boundary_arn
  interface_services = ["glue", "kinesis-streams"]
  kms_key_arn        = module.security.kms_key_arns.operations
  log_retention_days = var.logging.retention_days
  name_prefix        = local.name_prefix
}

module "warehouse" {
  source = "../warehouse"
  count  = var.lake.warehouse.enabled ? 1 : 0

  account           = local.account
  capacity          = var.lake.warehouse.capacity
  enriched_stream   = module.event_stream.enriched
  max_query_seconds = var.lake.warehouse.max_query_seconds
  network           = merge(module.network[0].network, { client_security_group_ids = var.lake.warehouse.client_security_group_ids })
  refresh           = var.lake.warehouse.refresh
  settings          = local.function_settings
  snapshot_days     = var.lake.warehouse.snapshot_days
  usage_limit       = var.lake.warehouse.usage_limit

  lake = {
    arn      = module.data_lake.bucket.arn
    database = module.data_lake.database
    tables   = module.lake_tables.tables
  }
}

module "observability" {
  source = "../observability"

  alerts_topic_arn  = module.alerts.topic_arn
  apis              = { ingest = module.ingest.api, metrics = module.metrics_api.api }
  budget            = { email_addresses = var.alerts.email_addresses, usd_a_month = var.alerts.budget_usd_a_month }
  delivery_streams  = { for name, stream in module.data_lake.delivery_streams : name => stream.name }
  flink_application = module.realtime_analytics.application_name
  name_prefix       = local.name_prefix
  objectives        = var.alerts.objectives
  region            = local.account.region
  state_machine_arn = try(module.batch_analytics[0].state_machine_arn, "")
  streams           = { for name, stream in local.streams : name => stream.name }

  consumers = {
    for name, consumer in local.consumers : name => {
      function_name = consumer.function_name
      mapping_id    = consumer.mapping_id
      queue_name    = consumer.failure_queue.name
    }
  }

  functions = concat(module.ingest.function_names, module.stream_scaling[*].function_name, module.warehouse[*].warehouse.function, [
    module.processor.function_name,
    module.metrics_api.function_name,
    module.data_quality.function_name,
    module.performance_advisor.function_name,
    module.player_state.function_name,
    module.privacy.function_name,
    module.scheduled_reports.function_name,
    module.realtime_analytics.function_name,
  ])

  tables = [
    for table in concat(
      [module.data_quality.table, module.game_registry.table, module.scheduled_reports.table, module.realtime_analytics.table],
      values(module.processor.tables),
      values(module.player_state.tables),
    ) : table.name
  ]
}

module "scheduled_reports" {
  source = "../scheduled_reports"

  account    = local.account
  enabled    = var.reports.enabled
  lake       = { arn = module.data_lake.bucket.arn, name = module.data_lake.bucket.name }
  protection = local.table_protection
  sender     = var.reports.sender
  settings   = local.function_settings

  tables = {
    game_days = module.player_state.tables.game_days
    games     = module.game_registry.table
  }
}

module "data_quality" {
  source = "../data_quality"

  account_id          = local.account.id
  enabled             = var.reports.enabled
  history_every_hours = var.lake.batch.schedule.every_hours
  lake                = { arn = module.data_lake.bucket.arn, name = module.data_lake.bucket.name }
  protection          = local.table_protection
  settings            = local.function_settings

  tables = {
    game_days    = module.player_state.tables.game_days
    games        = module.game_registry.table
    ingest_stats = module.processor.tables.ingest_stats
    realtime     = module.realtime_analytics.table
  }
}

module "privacy" {
  source = "../privacy"

  account            = local.account
  enabled            = var.reports.enabled
  lake               = { arn = module.data_lake.bucket.arn, name = module.data_lake.bucket.name }
  settings           = local.function_settings
  silver             = { database = module.data_lake.database, workgroup = var.lake.batch.enabled ? module.lake_tables.workgroup : "" }
  warehouse_function = try({ arn = module.warehouse[0].warehouse.function_arn, name = module.warehouse[0].warehouse.function }, { arn = "", name = "" })

  tables = {
    games        = module.game_registry.table
    leaderboards = module.player_state.tables.leaderboards
    players      = module.player_state.tables.players
  }
}

module "performance_advisor" {
  source = "../performance_advisor"

  account  = local.account
  enabled  = var.reports.enabled
  lake     = { arn = module.data_lake.bucket.arn, name = module.data_lake.bucket.name }
  settings = local.function_settings

  watched = {
    consumers         = { for name, consumer in local.consumers : name => consumer.function_name }
    deliveries        = { "lake.buffering.seconds" = module.data_lake.delivery_streams.bronze.name }
    files             = var.lake.batch.enabled ? { "lake.optimize" = module.data_lake.bucket.name } : {}
    flink             = module.realtime_analytics.application_name
    functions         = { "metrics_api.sizing" = module.metrics_api.function_name, "player_state" = module.player_state.function_name, "processor" = module.processor.function_name }
    optimized         = coalesce(var.lake.optimize, true)
    spark             = try(module.batch_analytics[0].state_machine_arn, "")
    spark_every_hours = var.lake.batch.schedule.every_hours
    spark_executors   = try(module.batch_analytics[0].maximum_executors, 0)
    streams           = { for name, stream in local.streams : "streams.${name}_shards" => stream.name if !contains(keys(local.scaled_shards), name) }
    tables            = [for table in concat(values(module.processor.tables), values(module.player_state.tables)) : table.name]
    warehouse         = try(module.warehouse[0].warehouse.workgroup, "")
  }
}
