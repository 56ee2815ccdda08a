# tests/plan judges these plans: every option on, every option off, the longest names.
mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  environment        = "test"
  packages_directory = "../../testing/packages"
  protection         = { deletion = false, key_deletion_window_days = 7, point_in_time_recovery = false }
}

run "everything" {
  command = plan

  variables {
    logging = { level = "DEBUG", retention_days = 3653, tracing = true }
    streams = { enriched_shards = 2, maximum_shards = 8, metrics_shards = 2, raw_shards = 1, retention_hours = 24 }

    alerts = {
      budget_usd_a_month = 7000
      email_addresses    = ["ops@example.com"]
      objectives         = { availability = 0.99, completeness = 0.999, latency = 0.95 }
    }

    batch_analytics = {
      job      = { maximum_executors = 8, timeout_minutes = 60 }
      schedule = { delay_hours = 3, every_hours = 1, minute = 20 }
    }

    ingest = {
      sizing     = { memory_mb = 1024, reserved_concurrency = 10, timeout_seconds = 15 }
      usage_plan = { burst = 100, enforced = true, rate = 50, requests_a_day = 1000000 }
    }

    lake = { optimize = true, scan_limit_gb = 10 }

    metrics_api = {
      sizing     = { memory_mb = 1024, reserved_concurrency = 5, timeout_seconds = 15 }
      throttling = { burst = 100, rate = 50 }
    }

    protection = {
      code_signing_arn         = "arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-0123456789abcdef0"
      deletion                 = true
      key_deletion_window_days = 30
      permissions_boundary     = "player-analytics-test-boundary"
      point_in_time_recovery   = true
    }

    quicksight = {
      defaults        = { currency = "EUR", days = 30, game = "skyforge" }
      enabled         = true
      identity_region = "eu-west-1"
      refresh         = { full_day = "MONDAY", full_time = "04:30", interval = "MINUTE15" }

      groups = {
        all      = { games = ["*"], role = "engineer" }
        skyforge = { games = ["skyforge"], role = "reader" }
        studio   = { games = ["skyforge", "puzzle"], role = "author" }
      }

      warehouse = {
        credentials_secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:quicksight-AbCdEf"
        database               = "analytics"
        host                   = "warehouse.111122223333.eu-west-1.redshift-serverless.amazonaws.com"
        port                   = 5439
        security_group_ids     = ["sg-0123456789abcdef0"]
        subnet_ids             = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
      }
    }

    realtime_analytics = {
      application    = { initial_position = "TRIM_HORIZON", parallelism = 4, parallelism_per_kpu = 2, start = true }
      deliver_alerts = true
      vpc            = { security_group_ids = ["sg-0123456789abcdef2"], subnet_ids = ["subnet-0123456789abcdef2"] }
    }

    report_sender = "reports@example.com"

    sign_in = {
      enabled = true
      mfa     = "OPTIONAL"
      session = { hours = 8, token_minutes = 15 }

      identity_providers = {
        Entra = { metadata_url = "https://login.example.com/metadata.xml" }
        Okta = {
          client_id     = "0oa1b2c3"
          client_secret = "s3cret"
          issuer_url    = "https://studio.okta.example.com"
        }
      }
    }

    warehouse = {
      capacity                  = { base_rpu = 16, max_rpu = 64 }
      client_security_group_ids = { tableau = "sg-0123456789abcdef1" }
      enabled                   = true
      max_query_seconds         = 600
      refresh                   = { enabled = true, minutes = 15 }
      snapshot_days             = 7
      usage_limit               = { breach_action = "deactivate", rpu_hours_a_day = 40 }
    }
  }

  assert {
    condition = (
      output.quicksight != null && output.warehouse != null && output.batch_state_machine_arn != null
      && length(module.stream_scaling) == 1 && output.sign_in != null
    )
    error_message = "Every optional part is on."
  }
}

run "nothing_optional" {
  command = plan

  variables {
    batch_analytics     = { enabled = false }
    dedupe_window_hours = 0
    lake                = { optimize = false }
    realtime_analytics  = { application = { start = false }, deliver_alerts = false }
    schedules           = { advice = false, erasure = false, quality = false, reports = false }

    ingest = {
      log_blocked = false
      usage_plan  = { burst = 100, enforced = false, rate = 50, requests_a_day = 1000000 }
    }
  }

  assert {
    condition = (
      output.quicksight == null && output.warehouse == null && output.batch_state_machine_arn == null
      && output.sign_in == null
    )
    error_message = "Every optional part is off."
  }
}

run "longest_names" {
  command = plan

  variables {
    environment   = "abcdefghij"
    project       = "abcdefghijklmnopqrstuvwx"
    report_sender = "reports@example.com"
    sign_in       = { enabled = true }
    streams       = { enriched_shards = 2, maximum_shards = 8, raw_shards = 1 }
    warehouse     = { enabled = true, usage_limit = { rpu_hours_a_day = 40 } }

    quicksight = {
      enabled         = true
      identity_region = "eu-west-1"
      groups          = { abcdefghijklmnopqrstuvwxyz-abcdefghijklmn = { games = ["*"], role = "reader" } }

      warehouse = {
        credentials_secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:quicksight-AbCdEf"
        database               = "analytics"
        host                   = "warehouse.111122223333.eu-west-1.redshift-serverless.amazonaws.com"
        security_group_ids     = ["sg-0123456789abcdef0"]
        subnet_ids             = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
      }
    }
  }

  assert {
    condition     = startswith(output.raw_stream_name, "abcdefghijklmnopqrstuvwx-abcdefghij-")
    error_message = "Every name starts with the longest project and environment."
  }
}

# Each schedule has another pair of states in these two plans, so tests/plan/test_schedules.py sees a crossed wire.
run "without_advice_and_quality" {
  command = plan

  variables {
    schedules = { advice = false, quality = false }
  }
}

run "without_advice_and_reports" {
  command = plan

  variables {
    report_sender = ""
    schedules     = { advice = false, reports = false }
  }
}
