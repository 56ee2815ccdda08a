locals {
  shard_counts = {
    enriched = var.shard_counts.enriched
    raw      = var.shard_counts.raw
  }
}

resource "aws_kinesis_stream" "this" {
  for_each = local.shard_counts

  name                      = "${var.name_prefix}-${each.key}"
  encryption_type           = "KMS"
  enforce_consumer_deletion = true
  kms_key_id                = var.kms_key_arn
  retention_period          = var.retention_hours
  shard_count               = each.value

  stream_mode_details {
    stream_mode = each.value == null ? "ON_DEMAND" : "PROVISIONED"
  }

  # stream_scaling changes the number of shards: an apply must not put it back.
  lifecycle {
    ignore_changes = [shard_count]
  }
}
