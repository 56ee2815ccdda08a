module "delivery_role" {
  source   = "../service_role"
  for_each = local.deliveries

  boundary_arn    = var.boundary_arn
  name            = "${var.name_prefix}-${each.key}-delivery"
  services        = ["firehose.amazonaws.com"]
  trust_condition = { StringEquals = { "sts:ExternalId" = var.account_id } }

  statements = {
    Encrypt = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.kms_key_arns.events]
    }
    FindBucket = {
      actions   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
      resources = [aws_s3_bucket.lake.arn]
    }
    WriteLogs = {
      actions   = ["logs:PutLogEvents"]
      resources = [aws_cloudwatch_log_stream.delivery[each.key].arn]
    }
    WriteObjects = {
      actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
      resources = ["${aws_s3_bucket.lake.arn}/${each.key}/*", "${aws_s3_bucket.lake.arn}/errors/${each.key}/*"]
    }
  }
}
