mock_provider "aws" {
  source = "../../testing"
}

variables {
  alert_emails       = ["ops@example.com"]
  packages_directory = "../../testing/packages"
}

# Every option is on: the tests of tests/plan read this run.
run "environment" {
  variables {
    budget_usd_a_month = 5000
    quicksight         = { enabled = true, identity_region = "eu-west-1" }
    sign_in            = { enabled = true }
    spark_executors    = 24
    warehouse          = { enabled = true }
  }

  assert {
    condition = (
      output.platform.raw_stream_name == "player-analytics-prod-raw"
      && output.platform.enriched_stream_name == "player-analytics-prod-enriched"
    )
    error_message = "Streams must carry the environment's name."
  }

  assert {
    condition     = output.platform.lake_bucket == "player-analytics-prod-lake-111122223333"
    error_message = "The lake's bucket must carry the environment's name and the account."
  }

  assert {
    condition = (
      keys(output.platform.tables) == [
        "boards", "dedupe", "game_days", "games", "ingest_stats", "leaderboards", "players", "quality", "quotas",
        "realtime", "recent_events", "reports", "saved_questions",
      ]
    )
    error_message = "Every table must be named in the outputs."
  }

  assert {
    condition     = output.platform.metrics_api_environment["GAMES_TABLE"] == output.platform.tables["games"]
    error_message = "The metrics API must read the tables of the environment."
  }

  assert {
    condition     = output.platform.ingest.stage == "live"
    error_message = "The REST API is served by its stage live."
  }
}

run "nobody_is_told" {
  command = plan

  variables {
    alert_emails = []
  }

  expect_failures = [check.alarms_reach_somebody]
}
