mock_provider "aws" {
  source = "../../testing"
}

variables {
  consumer          = { batch_size = 500, batch_window_seconds = 1, memory_mb = 512, timeout_seconds = 60 }
  description       = "Keeps what players did."
  environment       = {}
  name              = "player_state"
  policy_statements = {}
  stream_arn        = "arn:aws:kinesis:eu-west-1:111122223333:stream/demo-test-enriched"

  settings = {
    kms_key_arn        = "arn:aws:kms:eu-west-1:111122223333:key/example"
    layer_arns         = []
    log_level          = "INFO"
    log_retention_days = 30
    name_prefix        = "demo-test"
    packages_directory = "../../testing/packages"
    tracing            = false
  }
}

run "consumer" {
  assert {
    condition     = aws_lambda_event_source_mapping.this.parallelization_factor == 1
    error_message = "One reader a shard: counters rely on it."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.function_response_types == toset(["ReportBatchItemFailures"]) && aws_lambda_event_source_mapping.this.bisect_batch_on_function_error
    error_message = "Only what was lost is retried, and a failing batch is halved."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.maximum_record_age_in_seconds == 86400 && aws_lambda_event_source_mapping.this.maximum_retry_attempts == -1
    error_message = "Records are retried for a day."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.destination_config[0].on_failure[0].destination_arn == aws_sqs_queue.failures.arn
    error_message = "What is given up must reach the failure queue."
  }

  assert {
    condition     = aws_sqs_queue.failures.kms_master_key_id == var.settings.kms_key_arn && aws_sqs_queue.failures.message_retention_seconds == 1209600
    error_message = "The failure queue is encrypted and keeps messages for 14 days."
  }

  assert {
    condition = { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Action } == {
      DecryptAtRest  = ["kms:Decrypt"]
      EncryptRecords = ["kms:GenerateDataKey"]
      ReadStream = [
        "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords",
        "kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:SubscribeToShard",
      ]
      ReportFailures = ["sqs:SendMessage"]
      WriteLogs      = ["logs:CreateLogStream", "logs:PutLogEvents"]
    }
    error_message = "A consumer may read its stream and report failures, and nothing more."
  }
}

run "batch_too_large" {
  command         = plan
  expect_failures = [var.consumer]

  variables {
    consumer = { batch_size = 20000, batch_window_seconds = 1, memory_mb = 512, timeout_seconds = 60 }
  }
}

run "window_too_long" {
  command         = plan
  expect_failures = [var.consumer]

  variables {
    consumer = { batch_size = 500, batch_window_seconds = 301, memory_mb = 512, timeout_seconds = 60 }
  }
}
