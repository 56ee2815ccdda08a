# tests/plan judges this plan: the longest project, every option on.
mock_provider "aws" {
  override_during = plan
  source          = "../testing"
}

run "longest_names" {
  command = plan

  variables {
    project = "abcdefghijklmnopqrstuvwx"

    github = {
      owner_id      = 1234567890123
      repository    = "abcdefghijklmnopqrstuvwxyzabcdefghijklm/abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv"
      repository_id = 1234567890123
      subjects      = ["ids", "names"]
    }
  }

  assert {
    condition     = aws_s3_bucket.state.bucket == "abcdefghijklmnopqrstuvwx-state-111122223333"
    error_message = "Every name starts with the longest project."
  }
}
