module "realtime" {
  source = "../dynamodb_table"

  alerts_topic_arn = var.settings.alerts_topic_arn
  expires          = true
  hash_key         = "series"
  kms_key_arn      = var.settings.kms_key_arns.operations
  name             = "${var.settings.name_prefix}-realtime"
  protection       = var.protection
  range_key        = "window"
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

# The application writes one stream. This function stores what the API reads (docs/adr/0010-real-time-windows.md).
module "realtime_windows" {
  source = "../stream_consumer"

  consumer    = { batch_size = 1000, batch_window_seconds = 5, memory_mb = 512, timeout_seconds = 60 }
  description = "Keeps windows and alerts where the metrics API reads them."
  name        = "realtime_windows"
  settings    = var.settings
  stream_arn  = aws_kinesis_stream.metrics.arn

  environment = {
    ALERTS_SOURCE   = var.deliver_alerts ? var.settings.name_prefix : ""
    PAGE_URL        = var.page_url
    REALTIME_TABLE  = module.realtime.table.name
    RETENTION_HOURS = tostring(var.retention_hours)
  }

  policy_statements = merge(
    {
      KeepWindows = {
        actions   = ["dynamodb:BatchWriteItem"]
        resources = [module.realtime.table.arn]
      }
    },
    var.deliver_alerts ? {
      PutAlerts = {
        actions   = ["events:PutEvents"]
        resources = [local.default_bus_arn]
      }
      RememberAlerts = {
        actions   = ["dynamodb:UpdateItem"]
        resources = [module.realtime.table.arn]
      }
    } : {},
  )
}
