locals {
  name     = "${var.settings.name_prefix}-batch-analytics"
  packages = { code = "batch_analytics.zip", entry = "batch_analytics.main.py" }

  # One of the worker sizes of EMR. Its memory is shared by Spark and Python.
  worker = { disk_gb = 50, memory_gb = 16, spark_memory_gb = 14, vcpus = 4 }

  # Room for a driver, its executors, and a worker that the step before has not released.
  workers = var.job.maximum_executors + 2
}

# EMR Serverless starts the entry as a file. The code is a package beside it.
resource "aws_s3_object" "package" {
  for_each = local.packages

  bucket      = var.lake.name
  key         = "artifacts/${each.value}"
  kms_key_id  = var.settings.kms_key_arns.events
  source      = "${var.settings.packages_directory}/${each.value}"
  source_hash = filebase64sha256("${var.settings.packages_directory}/${each.value}")
}

# No worker is kept warm: it would cost more than it saves. The maximum capacity also bounds the bill.
resource "aws_emrserverless_application" "this" {
  name          = local.name
  architecture  = "ARM64"
  release_label = "emr-7.9.0"
  type          = "spark"

  auto_start_configuration {
    enabled = true
  }

  auto_stop_configuration {
    enabled              = true
    idle_timeout_minutes = 5
  }

  maximum_capacity {
    cpu    = "${local.workers * local.worker.vcpus} vCPU"
    disk   = "${local.workers * local.worker.disk_gb} GB"
    memory = "${local.workers * local.worker.memory_gb} GB"
  }
}

resource "aws_cloudwatch_log_group" "job" {
  name              = "/aws/emr-serverless/${local.name}"
  kms_key_id        = var.settings.kms_key_arns.operations
  retention_in_days = var.settings.log_retention_days
}
