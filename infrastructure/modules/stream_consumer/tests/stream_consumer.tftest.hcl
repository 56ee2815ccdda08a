mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  consumer          = { batch_size = 500, batch_window_seconds = 1, memory_mb = 512, timeout_seconds = 60 }
  description       = "Keeps what players did."
  environment       = {}
  name              = "player_state"
  policy_statements = {}
  stream_arn        = "arn:aws:kinesis:eu-west-1:111122223333:stream/demo-test-enriched"
}

run "resources" {
  command = plan

  assert {
    condition     = aws_lambda_event_source_mapping.this.parallelization_factor == 1
    error_message = "One reader a shard: counters rely on it."
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.this.function_response_types == toset(["ReportBatchItemFailures"])
      && aws_lambda_event_source_mapping.this.bisect_batch_on_function_error
    )
    error_message = "Only what was lost is retried, and a failing batch is halved."
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.this.maximum_record_age_in_seconds == 82800
      && aws_lambda_event_source_mapping.this.maximum_retry_attempts == -1
    )
    error_message = "Records are retried for 23 hours, less than any stream keeps them."
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.this.destination_config[0].on_failure[0].destination_arn ==
      aws_sqs_queue.failures.arn
    )
    error_message = "What is given up must reach the failure queue."
  }

  assert {
    condition = (
      aws_sqs_queue.failures.kms_master_key_id == var.settings.kms_key_arns.operations
      && aws_sqs_queue.failures.message_retention_seconds == 1209600
    )
    error_message = "The failure queue is encrypted and keeps messages for 14 days."
  }

  assert {
    condition = { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Action } == {
      DecryptAtRest   = ["kms:Decrypt"]
      DecryptRecords  = ["kms:Decrypt"]
      EncryptFailures = ["kms:GenerateDataKey"]
      ReadStream = [
        "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords",
        "kinesis:GetShardIterator", "kinesis:ListShards",
      ]
      ReportFailures = ["sqs:SendMessage"]
      WriteLogs      = ["logs:CreateLogStream", "logs:PutLogEvents"]
    }
    error_message = "A consumer may read its stream and report failures, and nothing more."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(output.policy).Statement :
        statement.Sid => statement.Resource
        if startswith(statement.Action[0], "kms:")
      } ==
      {
        DecryptAtRest   = [var.settings.kms_key_arns.operations]
        DecryptRecords  = [var.settings.kms_key_arns.events]
        EncryptFailures = [var.settings.kms_key_arns.operations]
      }
    )
    error_message = "It may use the keys of what it touches, and no other."
  }

  assert {
    condition = (
      [aws_cloudwatch_metric_alarm.iterator_age.namespace, aws_cloudwatch_metric_alarm.iterator_age.metric_name] ==
      ["AWS/Lambda", "IteratorAge"]
      && aws_cloudwatch_metric_alarm.iterator_age.dimensions == tomap({ FunctionName = module.function.name })
      && aws_cloudwatch_metric_alarm.iterator_age.threshold == 60000
    )
    error_message = "A consumer more than a minute behind must ring."
  }

  assert {
    condition = (
      [aws_cloudwatch_metric_alarm.failures.namespace, aws_cloudwatch_metric_alarm.failures.metric_name] ==
      ["AWS/SQS", "ApproximateNumberOfMessagesVisible"]
      && aws_cloudwatch_metric_alarm.failures.dimensions == tomap({ QueueName = aws_sqs_queue.failures.name })
      && aws_cloudwatch_metric_alarm.failures.threshold == 0
    )
    error_message = "A batch that was given up must ring."
  }

  assert {
    condition = alltrue([
      for alarm in [
        aws_cloudwatch_metric_alarm.failures, aws_cloudwatch_metric_alarm.iterator_age,
        aws_cloudwatch_metric_alarm.silent,
      ] :
      alarm.alarm_actions == toset([var.settings.alerts_topic_arn])
      && endswith(alarm.alarm_description, ": docs/runbooks/stream-consumer.md")
    ])
    error_message = "Each alarm must report, and name its runbook."
  }

  assert {
    condition = (
      length(aws_cloudwatch_metric_alarm.names_capped) == 0
      && !contains(keys(module.function.environment), "NAME_LIMITS")
    )
    error_message = "A consumer without limits has no alarm of names."
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.this.filter_criteria) == 0
    error_message = "A consumer gets all records, unless it names types."
  }

  assert {
    condition     = one(aws_lambda_event_source_mapping.this.metrics_config).metrics == toset(["EventCount"])
    error_message = "Alarms and the objective of completeness need the mapping's counts."
  }

  assert {
    condition = (
      [aws_cloudwatch_metric_alarm.silent.namespace, aws_cloudwatch_metric_alarm.silent.metric_name] ==
      ["AWS/Lambda", "PolledEventCount"]
      && aws_cloudwatch_metric_alarm.silent.dimensions ==
      tomap({ EventSourceMappingUUID = aws_lambda_event_source_mapping.this.uuid })
      && aws_cloudwatch_metric_alarm.silent.treat_missing_data == "breaching"
    )
    error_message = "A mapping that does not read must ring: without a read it has no metric."
  }
}

run "some_types" {
  command = plan

  variables {
    batches_at_once = 4
    event_types     = ["purchase", "refund"]
  }

  assert {
    condition = [
      for filter in one(aws_lambda_event_source_mapping.this.filter_criteria).filter : jsondecode(filter.pattern)
    ] == [{ data = { event_type = ["purchase", "refund"] } }]
    error_message = "Lambda must hand over these types of events only."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.parallelization_factor == 4
    error_message = "Four batches of a shard may run at once."
  }
}

run "name_limits" {
  command = plan

  variables {
    name_limits = { levels = 300 }
  }

  assert {
    condition     = jsondecode(module.function.environment.NAME_LIMITS) == { levels = 300 }
    error_message = "The function must get the limits."
  }

  assert {
    condition = (
      one(aws_cloudwatch_metric_alarm.names_capped).metric_name == "EventsCapped"
      && one(aws_cloudwatch_metric_alarm.names_capped).dimensions == tomap({ service = "player_state" })
      && one(aws_cloudwatch_metric_alarm.names_capped).alarm_actions == toset([var.settings.alerts_topic_arn])
    )
    error_message = "An alarm must say that names have no place of their own."
  }
}

run "too_many_names" {
  command         = plan
  expect_failures = [var.name_limits]

  variables {
    name_limits = { boards = 10, versions = 1001 }
  }
}

run "no_names" {
  command         = plan
  expect_failures = [var.name_limits]

  variables {
    name_limits = { flows = 0 }
  }
}

run "too_many_batches" {
  command         = plan
  expect_failures = [var.batches_at_once]

  variables {
    batches_at_once = 11
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
