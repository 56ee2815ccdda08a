module "platform" {
  source = "../../modules/platform"

  alerts              = { budget_usd_a_month = var.budget_usd_a_month, email_addresses = var.alert_emails }
  batch_analytics     = { job = { maximum_executors = var.spark_executors } }
  dedupe_window_hours = 168
  environment         = "prod"
  logging             = { level = "INFO", retention_days = 365, tracing = true }
  packages_directory  = var.packages_directory
  quicksight          = var.quicksight
  report_sender       = var.report_sender
  sign_in             = var.sign_in
  streams             = { enriched_shards = 1, maximum_shards = 64, raw_shards = 1, retention_hours = 168 }
  warehouse           = var.warehouse

  ingest = {
    sizing     = { memory_mb = 1769, timeout_seconds = 15 }
    throttling = { burst = 4000, rate = 2000 }
    usage_plan = { burst = 2000, rate = 1000, requests_a_day = 5000000 }
  }

  lake = {
    buffering = { seconds = 300, size_mb = 128 }
    retention = { bronze_infrequent_access_days = 90, noncurrent_days = 30, rejected_days = 90 }
  }

  # Both windows together stay below the objective of 10 seconds. Longer windows run the functions less often
  # (docs/cost.md).
  leaderboards = { batch_size = 2000, batch_window_seconds = 5, memory_mb = 1769, timeout_seconds = 120 }
  player_state = { batch_size = 2000, batch_window_seconds = 5, memory_mb = 1769, timeout_seconds = 120 }
  processor    = { batch_size = 2000, batch_window_seconds = 2, memory_mb = 1769, timeout_seconds = 120 }

  protection = {
    deletion                 = true
    key_deletion_window_days = 30
    permissions_boundary     = "player-analytics-prod-boundary" # bootstrap's
    point_in_time_recovery   = true
  }
}

check "alarms_reach_somebody" {
  assert {
    condition     = length(var.alert_emails) > 0
    error_message = "Nobody gets prod's alarms: set alert_emails (TF_VAR_alert_emails='[\"ops@example.com\"]')."
  }
}
