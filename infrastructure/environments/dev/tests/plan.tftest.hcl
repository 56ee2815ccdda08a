# Only the tests of prod apply. A plan of prod does not know values that AWS computes.
mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  packages_directory = "../../testing/packages"
}

run "environment" {
  command = plan

  assert {
    condition = (
      output.platform.raw_stream_name == "player-analytics-dev-raw"
      && output.platform.enriched_stream_name == "player-analytics-dev-enriched"
    )
    error_message = "Streams must carry the environment's name."
  }

  assert {
    condition     = output.platform.lake_bucket == "player-analytics-dev-lake-111122223333"
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

  assert {
    condition     = output.platform.quicksight == null && output.platform.warehouse == null
    error_message = "A first apply makes nothing that needs a subscription or costs more than the budget."
  }
}

run "all_there_is" {
  command = plan

  variables {
    budget_usd_a_month = 5000
    quicksight         = { enabled = true, identity_region = "us-east-1" }
    warehouse          = { enabled = true }
  }

  assert {
    condition = (
      output.platform.quicksight.id == "player-analytics-dev-history"
      && output.platform.warehouse.workgroup == "player-analytics-dev-warehouse"
    )
    error_message = "Variables turn on what is off."
  }
}
