resource "aws_dynamodb_table" "realtime" {
  name                        = "${var.settings.name_prefix}-realtime"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = var.protection.deletion
  hash_key                    = "series"
  range_key                   = "window"

  attribute {
    name = "series"
    type = "S"
  }

  attribute {
    name = "window"
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.protection.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.settings.kms_key_arns.operations
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }
}

resource "aws_kinesis_stream" "metrics" {
  name                      = "${var.settings.name_prefix}-metrics"
  encryption_type           = "KMS"
  enforce_consumer_deletion = true
  kms_key_id                = var.settings.kms_key_arns.events
  retention_period          = var.metrics_stream.retention_hours
  shard_count               = var.metrics_stream.shards

  stream_mode_details {
    stream_mode = "PROVISIONED"
  }
}

# The application writes one stream; this function keeps what the API reads of it (docs/adr/0010-real-time-windows.md).
module "realtime_windows" {
  source = "../stream_consumer"

  consumer    = { batch_size = 1000, batch_window_seconds = 1, memory_mb = 512, timeout_seconds = 60 }
  description = "Keeps windows and alerts where the metrics API reads them."
  name        = "realtime_windows"
  settings    = var.settings
  stream_arn  = aws_kinesis_stream.metrics.arn

  environment = {
    REALTIME_TABLE  = aws_dynamodb_table.realtime.name
    RETENTION_HOURS = tostring(var.retention_hours)
  }

  policy_statements = {
    KeepWindows = {
      actions   = ["dynamodb:BatchWriteItem"]
      resources = [aws_dynamodb_table.realtime.arn]
    }
  }
}
