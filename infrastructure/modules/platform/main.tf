data "aws_availability_zones" "this" {
  #checkov:skip=CKV_AWS_394:The first three by name are used, or zones that are named: a new zone changes nothing.
  count = var.warehouse.enabled ? 1 : 0

  state = "available"

  # This leaves out local zones, which have no Redshift.
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

  boundary_arn = (
    var.protection.permissions_boundary == ""
    ? ""
    : "arn:${local.account.partition}:iam::${local.account.id}:policy/${var.protection.permissions_boundary}"
  )

  # The named zones, or else the first three of the region. us-west-1 has two.
  availability_zones = (
    length(var.warehouse.availability_zones) > 0
    ? [for letter in sort(var.warehouse.availability_zones) : "${local.account.region}${letter}"]
    : [for number, name in sort(flatten(data.aws_availability_zones.this[*].names)) : name if number < 3]
  )

  consumers = {
    leaderboards = module.leaderboards
    player_state = module.player_state
    processor    = module.processor
  }

  function_settings = {
    alerts_topic_arn   = module.alerts.topic_arn
    boundary_arn       = local.boundary_arn
    code_signing_arn   = var.protection.code_signing_arn
    kms_key_arns       = module.security.kms_key_arns
    layer_arns         = [module.telemetry_layer.arn]
    log_level          = var.logging.level
    log_retention_days = var.logging.retention_days
    name_prefix        = local.name_prefix
    packages_bucket    = module.data_lake.bucket.name
    packages_directory = var.packages_directory
    tracing            = false
  }

  # X-Ray traces at least one run a second of a function that no traced request reaches. At a small load that costs
  # more than the function, and shows no more than its metrics (docs/adr/0019-what-prod-costs.md).
  traced_settings = merge(local.function_settings, { tracing = var.logging.tracing })

  # Functions and services that read a stream. Flink, leaderboards and player_state read `enriched`.
  readers = { enriched = var.warehouse.enabled ? 4 : 3, raw = 1 }

  shards  = { enriched = var.streams.enriched_shards, raw = var.streams.raw_shards }
  streams = { enriched = module.event_stream.enriched, raw = module.event_stream.raw }

  scaled_shards = {
    for name, shards in local.shards : name => shards
    if shards != null && var.streams.maximum_shards != null
  }

  table_protection = {
    deletion               = var.protection.deletion
    point_in_time_recovery = var.protection.point_in_time_recovery
  }

  # The base capacity runs all day, at the price of us-east-1 (functions/performance_advisor/prices.json).
  warehouse_usd_a_month = 730 * 0.375 * coalesce(try(var.warehouse.capacity.base_rpu, null), 8)
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
      readers = local.readers[name]
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
  protection  = local.table_protection
  quota       = var.ingest.quota
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
  name                = "ingest"
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

module "leaderboards" {
  source = "../leaderboards"

  consumer            = var.leaderboards
  enriched_stream_arn = module.event_stream.enriched.arn
  game_days_table     = module.player_state.tables.game_days
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
  name_limits         = var.realtime_analytics.name_limits
  page_url            = var.realtime_analytics.page_url
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
  count  = var.batch_analytics.enabled ? 1 : 0

  account          = local.account
  alerts_topic_arn = module.alerts.topic_arn
  job              = var.batch_analytics.job
  schedule         = var.batch_analytics.schedule
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

  account                  = local.account
  ingest_url               = module.ingest.api.url
  leaderboards_by_rank_arn = module.leaderboards.by_rank_arn
  protection               = local.table_protection
  settings                 = local.function_settings
  sign_in                  = module.sign_in[*].client
  sizing                   = var.metrics_api.sizing
  throttling               = var.metrics_api.throttling

  lake = {
    bucket        = module.data_lake.bucket
    database      = module.data_lake.database
    scan_limit_gb = var.metrics_api.scan_limit_gb
    tables        = concat(module.lake_tables.layers.gold, module.lake_tables.layers.silver)
  }

  tables = {
    boards        = module.leaderboards.tables.boards
    game_days     = module.player_state.tables.game_days
    games         = module.game_registry.table
    ingest_stats  = module.processor.tables.ingest_stats
    leaderboards  = module.leaderboards.tables.leaderboards
    players       = module.player_state.tables.players
    quality       = module.data_quality.table
    realtime      = module.realtime_analytics.table
    recent_events = module.processor.tables.recent_events
  }
}

module "sign_in" {
  source = "../sign_in"
  count  = var.sign_in.enabled ? 1 : 0

  account             = local.account
  alerts_topic_arn    = module.alerts.topic_arn
  api                 = module.metrics_api.page
  deletion_protection = var.protection.deletion
  identity_providers  = var.sign_in.identity_providers
  managed_login       = var.sign_in.managed_login
  mfa                 = var.sign_in.mfa
  name_prefix         = local.name_prefix
  session             = var.sign_in.session
  web_acl_arns        = module.sign_in_firewall[*].web_acl_arn
}

module "sign_in_firewall" {
  source = "../web_firewall"
  count  = var.sign_in.enabled && var.sign_in.firewall ? 1 : 0

  kms_key_arn         = module.security.kms_key_arns.operations
  limit_sizes         = false
  log_retention_days  = var.logging.retention_days
  name                = "sign-in"
  name_prefix         = local.name_prefix
  requests_per_minute = 100
}

module "quicksight" {
  source = "../quicksight"
  count  = var.quicksight.enabled ? 1 : 0

  account         = local.account
  boundary_arn    = local.boundary_arn
  defaults        = var.quicksight.defaults
  groups          = var.quicksight.groups
  identity_region = var.quicksight.identity_region
  kms_key_arn     = module.security.kms_key_arns.events
  name_prefix     = local.name_prefix
  refresh         = var.quicksight.refresh
  warehouse       = var.quicksight.warehouse

  lake = {
    bucket    = module.data_lake.bucket.name
    database  = module.data_lake.database
    workgroup = module.lake_tables.workgroup
  }
}

module "network" {
  source = "../network"
  count  = var.warehouse.enabled ? 1 : 0

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
  count  = var.warehouse.enabled ? 1 : 0

  account           = local.account
  capacity          = var.warehouse.capacity
  enriched_stream   = module.event_stream.enriched
  max_query_seconds = var.warehouse.max_query_seconds
  refresh           = var.warehouse.refresh
  settings          = local.function_settings
  snapshot_days     = var.warehouse.snapshot_days
  usage_limit       = var.warehouse.usage_limit

  network = merge(module.network[0].network, {
    client_security_group_ids = var.warehouse.client_security_group_ids
  })

  lake = {
    arn      = module.data_lake.bucket.arn
    database = module.data_lake.database

    tables = {
      gold   = concat(module.lake_tables.layers.gold, module.lake_tables.layers.spend)
      silver = module.lake_tables.layers.silver
    }
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
      queue_name    = consumer.failure_queue_name
    }
  }

  functions = concat(
    module.ingest.function_names,
    module.stream_scaling[*].function_name,
    module.warehouse[*].warehouse.function,
    [
      module.data_quality.function_name,
      module.leaderboards.function_name,
      module.metrics_api.function_name,
      module.performance_advisor.function_name,
      module.player_state.function_name,
      module.privacy.function_name,
      module.processor.function_name,
      module.realtime_analytics.function_name,
      module.scheduled_reports.function_name,
    ],
  )

  tables = [
    for table in concat(
      [module.data_quality.table, module.game_registry.table, module.metrics_api.saved_questions_table],
      [module.realtime_analytics.table, module.scheduled_reports.table],
      values(module.leaderboards.tables),
      values(module.player_state.tables),
      values(module.processor.tables),
    ) : table.name
  ]
}

module "scheduled_reports" {
  source = "../scheduled_reports"

  account    = local.account
  enabled    = var.schedules.reports
  protection = local.table_protection
  sender     = var.report_sender
  settings   = local.function_settings
  workgroup  = module.metrics_api.workgroup

  lake = {
    arn      = module.data_lake.bucket.arn
    database = module.data_lake.database
    name     = module.data_lake.bucket.name
  }

  metrics_api = {
    function_name = module.metrics_api.function_name
    page_url      = var.sign_in.enabled ? module.metrics_api.page.url : ""
  }

  tables = {
    game_days = module.player_state.tables.game_days
    games     = module.game_registry.table
  }
}

module "data_quality" {
  source = "../data_quality"

  account_id          = local.account.id
  enabled             = var.schedules.quality
  history_every_hours = var.batch_analytics.schedule.every_hours
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

  account  = local.account
  enabled  = var.schedules.erasure
  lake     = { arn = module.data_lake.bucket.arn, name = module.data_lake.bucket.name }
  settings = local.function_settings

  silver = {
    database        = module.data_lake.database
    personal_tables = module.lake_tables.personal_tables
    workgroup       = var.batch_analytics.enabled ? module.lake_tables.workgroup : ""
  }

  tables = {
    games         = module.game_registry.table
    leaderboards  = module.leaderboards.tables.leaderboards
    players       = module.player_state.tables.players
    recent_events = module.processor.tables.recent_events
  }

  warehouse_function = try(
    { arn = module.warehouse[0].warehouse.function_arn, name = module.warehouse[0].warehouse.function },
    { arn = "", name = "" },
  )
}

module "performance_advisor" {
  source = "../performance_advisor"

  account  = local.account
  enabled  = var.schedules.advice
  lake     = { arn = module.data_lake.bucket.arn, name = module.data_lake.bucket.name }
  settings = local.function_settings

  # Each key of these maps is the variable of the platform that changes the size. How many records leaderboards reads
  # is not known: Lambda filters them.
  watched = {
    consumers         = { for name in ["player_state", "processor"] : name => local.consumers[name].function_name }
    flink             = module.realtime_analytics.application_name
    spark             = try(module.batch_analytics[0].state_machine_arn, "")
    spark_every_hours = var.batch_analytics.schedule.every_hours
    spark_executors   = try(module.batch_analytics[0].maximum_executors, 0)

    streams = {
      for name, stream in local.streams : "streams.${name}_shards" => stream.name
      if !contains(keys(local.scaled_shards), name)
    }

    tables = flatten([for consumer in local.consumers : values(consumer.tables)[*].name])
  }
}
