mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  environment        = "test"
  packages_directory = "../../testing/packages"
  protection         = { deletion = false, key_deletion_window_days = 7, point_in_time_recovery = false }
}

run "wiring" {
  command = plan

  assert {
    condition = output.tables == {
      boards          = "player-analytics-test-boards"
      dedupe          = "player-analytics-test-dedupe"
      game_days       = "player-analytics-test-game-days"
      games           = "player-analytics-test-games"
      ingest_stats    = "player-analytics-test-ingest-stats"
      leaderboards    = "player-analytics-test-leaderboards"
      players         = "player-analytics-test-players"
      quality         = "player-analytics-test-quality"
      quotas          = "player-analytics-test-quotas"
      realtime        = "player-analytics-test-realtime"
      recent_events   = "player-analytics-test-recent-events"
      reports         = "player-analytics-test-reports"
      saved_questions = "player-analytics-test-saved-questions"
    }
    error_message = "Tables are named <project>-<environment>-<name>."
  }

  assert {
    condition = output.metrics_api_environment == tomap({
      ATHENA_WORKGROUP             = "player-analytics-test-metrics-api"
      BOARDS_TABLE                 = output.tables.boards
      GAME_DAYS_TABLE              = output.tables.game_days
      GAMES_TABLE                  = output.tables.games
      INGEST_STATS_TABLE           = output.tables.ingest_stats
      INGEST_URL                   = module.ingest.api.url
      LAKE_DATABASE                = output.lake_database
      LEADERBOARDS_TABLE           = output.tables.leaderboards
      PLAYERS_TABLE                = output.tables.players
      POWERTOOLS_LOG_LEVEL         = "INFO"
      POWERTOOLS_METRICS_NAMESPACE = "player-analytics-test"
      POWERTOOLS_SERVICE_NAME      = "metrics_api"
      QUALITY_TABLE                = output.tables.quality
      REALTIME_TABLE               = output.tables.realtime
      RECENT_EVENTS_TABLE          = output.tables.recent_events
      SAVED_QUESTIONS_TABLE        = output.tables.saved_questions
    })
    error_message = "The metrics API must read the tables that the pipeline writes, and its own."
  }

  assert {
    condition = (
      output.batch_state_machine_arn == module.batch_analytics[0].state_machine_arn
      && output.athena_workgroup == "player-analytics-test-analysts"
    )
    error_message = "Backfills and analysts must find the state machine and the workgroup."
  }

  assert {
    condition     = length(module.stream_scaling) == 0
    error_message = "Streams on demand scale themselves."
  }

  assert {
    condition     = output.quicksight == null
    error_message = "QuickSight needs a subscription, so it is off by default."
  }

  assert {
    condition     = output.sign_in == null && length(module.sign_in_firewall) == 0
    error_message = "A page on the internet is somebody's decision, so nobody signs in by default."
  }

  assert {
    condition     = output.warehouse == null && length(module.network) == 0
    error_message = "The warehouse costs money while it is awake, so it is off by default."
  }
}

run "without_batch" {
  command = plan

  variables {
    batch_analytics = { enabled = false }
    lake            = { optimize = false }
  }

  assert {
    condition     = output.batch_state_machine_arn == null && length(module.batch_analytics) == 0
    error_message = "Where EMR Serverless is missing there are no batch runs."
  }
}

run "all_there_is" {
  command = plan

  variables {
    streams = { enriched_shards = 2, maximum_shards = 8, raw_shards = 1 }

    lake = {
      buffering = { seconds = 300, size_mb = 64 }
      retention = { bronze_infrequent_access_days = 90, noncurrent_days = 30, rejected_days = 90 }
    }

    quicksight = {
      enabled         = true
      groups          = { skyforge = { games = ["skyforge"], role = "reader" } }
      identity_region = "eu-west-1"
    }

    sign_in = { enabled = true }

    warehouse = { availability_zones = ["d", "a", "b"], enabled = true, usage_limit = { rpu_hours_a_day = 40 } }
  }

  assert {
    condition     = length(module.stream_scaling) == 1
    error_message = "Provisioned streams with a maximum are scaled."
  }

  assert {
    condition = (
      output.quicksight ==
      { groups = { skyforge = "player-analytics-test-skyforge" }, id = "player-analytics-test-history" }
    )
    error_message = "Users must find the dashboard and their group."
  }

  assert {
    condition = (
      output.sign_in.page_url == "https://mockhttp.execute-api.eu-west-1.amazonaws.com/"
      && !contains(keys(output.metrics_api_environment), "SIGN_IN_URL") && length(module.sign_in_firewall) == 1
    )
    error_message = "People must find the page, behind a web ACL. The app elsewhere checks no tokens, so it knows none."
  }

  assert {
    condition = (
      output.warehouse.workgroup == "player-analytics-test-warehouse"
      && output.warehouse.function == "player-analytics-test-warehouse"
    )
    error_message = "`scripts/warehouse` must find the workgroup and its function."
  }

  assert {
    condition     = join(" ", local.availability_zones) == "eu-west-1a eu-west-1b eu-west-1d"
    error_message = "Zones that are named are used, in a steady order."
  }
}

run "two_zones" {
  command = plan

  variables {
    warehouse = { enabled = true }
  }

  override_data {
    override_during = plan
    target          = data.aws_availability_zones.this[0]
    values          = { names = ["eu-west-1c", "eu-west-1b"] }
  }

  assert {
    condition = (
      join(" ", local.availability_zones) == "eu-west-1b eu-west-1c" && length(output.warehouse.subnet_ids) == 3
    )
    error_message = "Where a region has two zones, the warehouse has its three subnets there."
  }
}

run "window_shorter_than_retention" {
  command         = plan
  expect_failures = [var.dedupe_window_hours]

  variables {
    dedupe_window_hours = 24
  }
}

run "unprotected_prod_with_a_budget_below_its_warehouse" {
  command         = plan
  expect_failures = [var.alerts, var.protection]

  variables {
    alerts      = { budget_usd_a_month = 2000 }
    environment = "prod"
    warehouse   = { enabled = true }
  }
}

# Terraform requires each of them to fail. Together they take one plan of the whole platform.
run "malformed" {
  command         = plan
  expect_failures = [var.environment, var.logging, var.project, var.quicksight, var.streams]

  variables {
    environment = "Prod-1"
    logging     = { level = "INFO", retention_days = 31 }
    project     = "Player Analytics"
    quicksight  = { enabled = true }
    streams     = { maximum_shards = 1, raw_shards = 2 }
  }
}
