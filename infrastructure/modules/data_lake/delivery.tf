locals {
  deliveries = toset(["bronze", "rejected"])
}

# The sender gzips: members concatenate into a valid file, and Firehose bills the bytes it is given.
resource "aws_kinesis_firehose_delivery_stream" "this" {
  for_each = local.deliveries

  name        = "${var.name_prefix}-${each.key}"
  destination = "extended_s3"

  extended_s3_configuration {
    bucket_arn          = aws_s3_bucket.lake.arn
    buffering_interval  = var.buffering.seconds
    buffering_size      = var.buffering.size_mb
    compression_format  = "UNCOMPRESSED"
    error_output_prefix = "errors/${each.key}/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"
    file_extension      = ".ndjson.gz"
    kms_key_arn         = var.kms_key_arn
    prefix              = "${each.key}/!{timestamp:yyyy/MM/dd/HH}/"
    role_arn            = aws_iam_role.delivery[each.key].arn

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.delivery[each.key].name
      log_stream_name = aws_cloudwatch_log_stream.delivery[each.key].name
    }
  }

  server_side_encryption {
    enabled  = true
    key_arn  = var.kms_key_arn
    key_type = "CUSTOMER_MANAGED_CMK"
  }

  depends_on = [aws_iam_role_policy.delivery]
}

resource "aws_cloudwatch_log_group" "delivery" {
  for_each = local.deliveries

  name              = "/aws/kinesisfirehose/${var.name_prefix}-${each.key}"
  kms_key_id        = var.kms_key_arn
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_stream" "delivery" {
  for_each = local.deliveries

  name           = "DestinationDelivery"
  log_group_name = aws_cloudwatch_log_group.delivery[each.key].name
}
