mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/example"
  name_prefix = "demo-test"
}

run "on_demand" {
  command = plan

  assert {
    condition = alltrue(
      [for stream in aws_kinesis_stream.this : stream.stream_mode_details[0].stream_mode == "ON_DEMAND"]
    )
    error_message = "A stream without a shard count scales on demand."
  }

  assert {
    condition = alltrue(
      [for stream in aws_kinesis_stream.this : stream.encryption_type == "KMS" && stream.kms_key_id == var.kms_key_arn]
    )
    error_message = "Both streams must be encrypted with the platform's key."
  }

  assert {
    condition     = output.raw.name == "demo-test-raw" && output.enriched.name == "demo-test-enriched"
    error_message = "Streams are named <project>-<environment>-<name>."
  }
}

run "provisioned" {
  command = plan

  variables {
    shard_counts = { raw = 4 }
  }

  assert {
    condition = (
      aws_kinesis_stream.this["raw"].shard_count == 4
      && aws_kinesis_stream.this["raw"].stream_mode_details[0].stream_mode == "PROVISIONED"
    )
    error_message = "A shard count makes the stream provisioned."
  }

  assert {
    condition     = aws_kinesis_stream.this["enriched"].stream_mode_details[0].stream_mode == "ON_DEMAND"
    error_message = "The other stream stays on demand."
  }
}

run "retention_too_short" {
  command         = plan
  expect_failures = [var.retention_hours]

  variables {
    retention_hours = 1
  }
}

run "no_shards" {
  command         = plan
  expect_failures = [var.shard_counts]

  variables {
    shard_counts = { raw = 0 }
  }
}
