module "platform" {
  source = "../../modules/platform"

  alerts             = { budget_usd_a_month = var.budget_usd_a_month, email_addresses = var.alert_emails }
  environment        = "dev"
  logging            = { level = "DEBUG", retention_days = 14, tracing = true }
  packages_directory = var.packages_directory
  quicksight         = var.quicksight
  report_sender      = var.report_sender
  sign_in            = var.sign_in
  streams            = { enriched_shards = 1, maximum_shards = 2, raw_shards = 1, retention_hours = 24 }
  warehouse          = var.warehouse

  # Two hours after prod: one quota of vCPUs may serve both environments.
  batch_analytics = {
    job      = { maximum_executors = var.spark_executors }
    schedule = { delay_hours = 4 }
  }

  ingest = {
    sizing     = { memory_mb = 1024, timeout_seconds = 15 }
    throttling = { burst = 200, rate = 100 }
    usage_plan = { burst = 100, rate = 50, requests_a_day = 1000000 }
  }

  lake = {
    buffering = { seconds = 60, size_mb = 16 }
    retention = { bronze_infrequent_access_days = 30, noncurrent_days = 7, rejected_days = 31 }
  }

  protection = {
    deletion                 = false
    key_deletion_window_days = 7
    permissions_boundary     = "player-analytics-dev-boundary" # bootstrap's
    point_in_time_recovery   = false
  }
}
