# A workgroup of its own: the function reads no results of analysts or of exports, and scans less.
resource "aws_athena_workgroup" "this" {
  name          = "${var.settings.name_prefix}-metrics-api"
  description   = "Queries of the lake that the metrics API asks: each scans a limited amount, and its result expires."
  force_destroy = true

  configuration {
    bytes_scanned_cutoff_per_query     = var.lake.scan_limit_gb * 1024 * 1024 * 1024
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      expected_bucket_owner = var.account.id
      output_location       = "s3://${var.lake.bucket.name}/${local.results}/"

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = var.settings.kms_key_arns.events
      }
    }
  }
}
