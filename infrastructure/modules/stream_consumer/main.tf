locals {
  name_limits = length(var.name_limits) > 0 ? [var.name_limits] : []
}

module "function" {
  source = "../lambda_function"

  description = var.description
  environment = merge(var.environment, { for limits in local.name_limits : "NAME_LIMITS" => jsonencode(limits) })
  name        = var.name
  settings    = var.settings
  sizing      = { memory_mb = var.consumer.memory_mb, timeout_seconds = var.consumer.timeout_seconds }

  policy_statements = merge(var.policy_statements, {
    ReadStream = {
      actions = [
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
      ]
      resources = [var.stream_arn]
    }
    ReportFailures = {
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.failures.arn]
    }
    DecryptRecords = {
      actions   = ["kms:Decrypt"]
      resources = [var.settings.kms_key_arns.events]
    }
    EncryptFailures = {
      actions   = ["kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.operations]
    }
  })
}

resource "aws_lambda_event_source_mapping" "this" {
  event_source_arn                   = var.stream_arn
  function_name                      = module.function.arn
  batch_size                         = var.consumer.batch_size
  bisect_batch_on_function_error     = true
  function_response_types            = ["ReportBatchItemFailures"]
  maximum_batching_window_in_seconds = var.consumer.batch_window_seconds
  maximum_retry_attempts             = -1
  parallelization_factor             = var.batches_at_once
  starting_position                  = "TRIM_HORIZON"

  # An hour before the shortest retention ends: failed records can still be read.
  maximum_record_age_in_seconds = 82800

  # Lambda hands over records of these types only, and does not run the function for others.
  dynamic "filter_criteria" {
    for_each = length(var.event_types) > 0 ? [jsonencode({ data = { event_type = var.event_types } })] : []

    content {
      filter {
        pattern = filter_criteria.value
      }
    }
  }

  # Lambda counts the records that it reads and drops, also those that no function sees. Alarms and objectives need it.
  metrics_config {
    metrics = ["EventCount"]
  }

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.failures.arn
    }
  }

  # scripts/restore stops a mapping for hours. An apply must not start it meanwhile.
  lifecycle {
    ignore_changes = [enabled]
  }
}

# A message holds positions in the stream and no events.
resource "aws_sqs_queue" "failures" {
  name                              = "${var.settings.name_prefix}-${replace(var.name, "_", "-")}-failures"
  kms_data_key_reuse_period_seconds = 3600
  kms_master_key_id                 = var.settings.kms_key_arns.operations
  message_retention_seconds         = 1209600
}
