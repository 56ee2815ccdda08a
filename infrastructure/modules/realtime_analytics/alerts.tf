locals {
  alert_detail_type = "Player analytics alert"
  default_bus_arn   = "arn:${var.account.partition}:events:${var.account.region}:${var.account.id}:event-bus/default"

  delivery_statements = {
    DecryptMetrics = {
      actions   = ["kms:Decrypt"]
      resources = [var.settings.kms_key_arns.events]
    }
    EncryptUndelivered = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.operations]
    }
    KeepUndelivered = {
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.undelivered_alerts.arn]
    }
    PutAlerts = {
      actions   = ["events:PutEvents"]
      resources = [local.default_bus_arn]
    }
    ReadMetrics = {
      actions = [
        "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords",
        "kinesis:GetShardIterator", "kinesis:ListShards",
      ]
      resources = [aws_kinesis_stream.metrics.arn]
    }
  }
}

# Only the alerts of the stream pass, each as an event of the default bus, where other rules can act on them. Pipes
# checks the role at once, and the provider does not retry while IAM propagates a new role. So the pipe waits for the
# start of the application and the mapping of the consumer, which take longer.
resource "aws_pipes_pipe" "alerts" {
  count = var.deliver_alerts ? 1 : 0

  name        = "${var.settings.name_prefix}-alerts"
  description = "Alerts of the metrics stream, to the default event bus."
  role_arn    = module.alert_delivery_role[0].arn
  source      = aws_kinesis_stream.metrics.arn
  target      = local.default_bus_arn

  source_parameters {
    filter_criteria {
      filter {
        pattern = jsonencode({ data = { kind = ["alert"] } })
      }
    }

    # Alerts are retried until they are an hour old. Every number is set: when another parameter changes, the provider
    # sends 0 for attempts that are left out, and Pipes would retry nothing.
    kinesis_stream_parameters {
      batch_size                         = 10
      maximum_batching_window_in_seconds = 0
      maximum_record_age_in_seconds      = 3600
      maximum_retry_attempts             = -1
      on_partial_batch_item_failure      = "AUTOMATIC_BISECT"
      parallelization_factor             = 1
      starting_position                  = "LATEST"

      dead_letter_config {
        arn = aws_sqs_queue.undelivered_alerts.arn
      }
    }
  }

  target_parameters {
    input_template = "<$.data>"

    eventbridge_event_bus_parameters {
      detail_type = local.alert_detail_type
      source      = var.settings.name_prefix
    }
  }

  depends_on = [aws_kinesisanalyticsv2_application.this, module.realtime_windows]
}

resource "aws_cloudwatch_event_rule" "alerts" {
  name        = "${var.settings.name_prefix}-alerts"
  description = "Alerts of the games, to the alerts topic."

  event_pattern = jsonencode({
    detail-type = [local.alert_detail_type]
    source      = [var.settings.name_prefix]
  })
}

resource "aws_cloudwatch_event_target" "topic" {
  rule = aws_cloudwatch_event_rule.alerts.name
  arn  = var.settings.alerts_topic_arn

  input_transformer {
    input_paths = {
      alert     = "$.detail.alert"
      game      = "$.detail.game_id"
      observed  = "$.detail.observed"
      reference = "$.detail.reference"
      subject   = "$.detail.subject"
      until     = "$.detail.window_end"
    }

    # This is JSON, but jsonencode would escape the angle brackets.
    input_template = join("", [
      "\"<alert> <subject> in <game>: <observed>, compared with <reference>, in the minutes until <until>. ",
      "What it means: ${local.runbook}\"",
    ])
  }

  dead_letter_config {
    arn = aws_sqs_queue.undelivered_alerts.arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 20
  }

  depends_on = [aws_sqs_queue_policy.undelivered_alerts]
}

resource "aws_sqs_queue" "undelivered_alerts" {
  name                              = "${var.settings.name_prefix}-undelivered-alerts"
  kms_data_key_reuse_period_seconds = 3600
  kms_master_key_id                 = var.settings.kms_key_arns.operations
  message_retention_seconds         = 1209600
}

resource "aws_sqs_queue_policy" "undelivered_alerts" {
  queue_url = aws_sqs_queue.undelivered_alerts.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RuleOfAlerts"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.undelivered_alerts.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.alerts.arn } }
    }]
  })
}

module "alert_delivery_role" {
  source = "../service_role"
  count  = var.deliver_alerts ? 1 : 0

  boundary_arn    = var.settings.boundary_arn
  name            = "${var.settings.name_prefix}-alert-delivery"
  services        = ["pipes.amazonaws.com"]
  statements      = local.delivery_statements
  trust_condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
}
