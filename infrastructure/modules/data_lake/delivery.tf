locals {
  deliveries = {
    bronze = {
      compression = "UNCOMPRESSED"
      extension   = ".ndjson.gz"
      partitioned = false
      prefix      = "bronze/!{timestamp:yyyy/MM/dd/HH}/"
    }
    rejected = {
      compression = "GZIP"
      extension   = null
      partitioned = true
      prefix      = "rejected/day=!{partitionKeyFromQuery:day}/reason=!{partitionKeyFromQuery:reason}/"
    }
  }
}

# The processor compresses bronze: gzip members concatenate into a valid file, and Firehose bills the bytes that it
# gets. Rejected events are few. Each is its own record, so that Firehose can partition by its content.
resource "aws_kinesis_firehose_delivery_stream" "this" {
  for_each = local.deliveries

  name        = "${var.name_prefix}-${each.key}"
  destination = "extended_s3"

  extended_s3_configuration {
    bucket_arn          = aws_s3_bucket.lake.arn
    buffering_interval  = max(var.buffering.seconds, each.value.partitioned ? 60 : 0)
    buffering_size      = max(var.buffering.size_mb, each.value.partitioned ? 64 : 1)
    compression_format  = each.value.compression
    error_output_prefix = "errors/${each.key}/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"
    file_extension      = each.value.extension
    kms_key_arn         = var.kms_key_arns.events
    prefix              = each.value.prefix
    role_arn            = module.delivery_role[each.key].arn

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.delivery[each.key].name
      log_stream_name = aws_cloudwatch_log_stream.delivery[each.key].name
    }

    dynamic "dynamic_partitioning_configuration" {
      for_each = each.value.partitioned ? [true] : []

      content {
        enabled        = true
        retry_duration = 300
      }
    }

    dynamic "processing_configuration" {
      for_each = each.value.partitioned ? [true] : []

      content {
        enabled = true

        processors {
          type = "MetadataExtraction"

          parameters {
            parameter_name  = "JsonParsingEngine"
            parameter_value = "JQ-1.6"
          }

          parameters {
            parameter_name  = "MetadataExtractionQuery"
            parameter_value = "{day:.received_at[:10],reason:.reason}"
          }
        }
      }
    }
  }

  server_side_encryption {
    enabled  = true
    key_arn  = var.kms_key_arns.events
    key_type = "CUSTOMER_MANAGED_CMK"
  }

  depends_on = [aws_s3_bucket_policy.lake]
}

resource "aws_cloudwatch_log_group" "delivery" {
  for_each = local.deliveries

  name              = "/aws/kinesisfirehose/${var.name_prefix}-${each.key}"
  kms_key_id        = var.kms_key_arns.operations
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_stream" "delivery" {
  for_each = local.deliveries

  name           = "DestinationDelivery"
  log_group_name = aws_cloudwatch_log_group.delivery[each.key].name
}
