locals {
  receipts = [for kind in ["exported", "erased"] : "${aws_s3_bucket.lake.arn}/privacy/${kind}/*"]

  # Receipts are the audit log of erasures: each is written once and stays. A bucket that may be destroyed with its
  # objects cannot promise that.
  receipt_statements = [
    {
      Sid       = "ReceiptsStay"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
      Resource  = local.receipts
    },
    {
      Sid       = "ReceiptsAreWrittenOnce"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:PutObject"]
      Resource  = local.receipts
      Condition = { Null = { "s3:if-none-match" = "true" } }
    },
  ]
}

resource "aws_s3_bucket" "lake" {
  #checkov:skip=CKV_AWS_18:Object access is audited with CloudTrail data events, not with server access logs.
  #checkov:skip=CKV_AWS_144:Eleven nines in one region suffice for telemetry; a copy would double the cost.
  #checkov:skip=CKV2_AWS_62:Batch jobs run by schedule; nothing waits for single objects.
  bucket        = "${var.name_prefix}-lake-${var.account_id}"
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_versioning" "lake" {
  bucket = aws_s3_bucket.lake.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      kms_master_key_id = var.kms_key_arns.events
      sse_algorithm     = "aws:kms"
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "lake" {
  bucket                  = aws_s3_bucket.lake.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "lake" {
  bucket = aws_s3_bucket.lake.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.lake.arn, "${aws_s3_bucket.lake.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }], [for statement in local.receipt_statements : statement if !var.force_destroy])
  })

  # Users of the bucket depend on its policy only, so the policy is made last.
  depends_on = [
    aws_s3_bucket_ownership_controls.lake,
    aws_s3_bucket_public_access_block.lake,
    aws_s3_bucket_server_side_encryption_configuration.lake,
    aws_s3_bucket_versioning.lake,
  ]
}

resource "aws_s3_bucket_lifecycle_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    id     = "tidy"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }

    noncurrent_version_expiration {
      noncurrent_days = var.retention.noncurrent_days
    }
  }

  rule {
    id     = "bronze"
    status = "Enabled"

    filter {
      prefix = "bronze/"
    }

    transition {
      days          = var.retention.bronze_infrequent_access_days
      storage_class = "STANDARD_IA"
    }
  }

  dynamic "rule" {
    for_each = {
      athena-results = 7
      batch          = 90
      errors         = var.retention.rejected_days
      rejected       = var.retention.rejected_days
      replayed       = var.retention.rejected_days
      reports        = 1096
    }

    content {
      id     = rule.key
      status = "Enabled"

      filter {
        prefix = "${rule.key}/"
      }

      expiration {
        days = rule.value
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.lake]
}
