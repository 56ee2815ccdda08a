resource "aws_athena_workgroup" "this" {
  name          = "${var.settings.name_prefix}-analysts"
  description   = "Queries of the lake: each scans a limited amount, and its encrypted result expires."
  force_destroy = var.force_destroy

  configuration {
    bytes_scanned_cutoff_per_query     = var.scan_limit_gb * 1024 * 1024 * 1024
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      expected_bucket_owner = var.account.id
      output_location       = "s3://${var.bucket.name}/athena-results/"

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = var.settings.kms_key_arns.events
      }
    }
  }
}

# The first line of each file is its description.
resource "aws_athena_named_query" "this" {
  for_each = fileset("${path.module}/queries", "*.sql")

  name        = trimsuffix(each.value, ".sql")
  database    = var.database
  description = trimprefix(split("\n", file("${path.module}/queries/${each.value}"))[0], "-- ")
  query       = file("${path.module}/queries/${each.value}")
  workgroup   = aws_athena_workgroup.this.name
}
