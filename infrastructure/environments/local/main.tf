module "platform" {
  source = "../../modules/platform"

  batch_analytics    = { enabled = false }
  environment        = "local"
  lake               = { optimize = false }
  leaderboards       = { batch_size = 500, batch_window_seconds = 1, memory_mb = 512, timeout_seconds = 120 }
  logging            = { level = "INFO", retention_days = 1 }
  packages_directory = var.packages_directory
  player_state       = { batch_size = 500, batch_window_seconds = 1, memory_mb = 512, timeout_seconds = 120 }
  processor          = { batch_size = 500, batch_window_seconds = 1, memory_mb = 512, timeout_seconds = 120 }
  protection         = { deletion = false, key_deletion_window_days = 7, point_in_time_recovery = false }
  report_sender      = "reports@example.com"
  schedules          = { advice = false, erasure = false, quality = false, reports = false }
  streams            = { enriched_shards = 2, raw_shards = 2 }

  ingest = {
    log_blocked = false
    usage_plan  = { burst = 1000, enforced = false, rate = 500, requests_a_day = 1000000 }
  }

  # The emulator has the classic sign-in page, without second factors, and does not rotate tokens.
  sign_in = {
    enabled       = true
    firewall      = false
    managed_login = false
    mfa           = "OFF"
    session       = { renew_once = false }
  }

  realtime_analytics = {
    application    = { initial_position = "TRIM_HORIZON", start = false }
    deliver_alerts = false
    windows        = { allowed_lateness_seconds = 10, idle_timeout_seconds = 20 }
  }
}
