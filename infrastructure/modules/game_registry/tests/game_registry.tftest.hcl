mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  alerts_topic_arn = "arn:aws:sns:eu-west-1:111122223333:alerts"
  kms_key_arn      = "arn:aws:kms:eu-west-1:111122223333:key/example"
  name_prefix      = "demo-test"
  protection       = { deletion = true, point_in_time_recovery = true }
}

run "table" {
  command = plan

  assert {
    condition     = module.games.configuration.hash_key == "game_id" && output.table.name == "demo-test-games"
    error_message = "Games are keyed by game_id."
  }

  assert {
    condition     = module.games.configuration.kms_key_arn == var.kms_key_arn
    error_message = "The table must be encrypted with the platform's key."
  }

  assert {
    condition     = module.games.configuration.deletion_protection && module.games.configuration.point_in_time_recovery
    error_message = "Protection must reach the table."
  }
}
