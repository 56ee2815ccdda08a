locals {
  application_name = "${var.settings.name_prefix}-realtime-analytics"
  package          = "${var.settings.packages_directory}/realtime_analytics.zip"

  property_groups = {
    "kinesis.analytics.flink.run.options" = { jarfile = "lib/connectors.jar", python = "main.py" }

    alerts  = { for name, value in var.alert_thresholds : replace(name, "_", ".") => tostring(value) }
    names   = { for name, value in var.name_limits : name => tostring(value) }
    windows = { for name, value in var.windows : replace(name, "_", ".") => tostring(value) }

    streams = {
      "enriched.arn"     = var.enriched_stream_arn
      "initial.position" = var.application.initial_position
      "metrics.arn"      = aws_kinesis_stream.metrics.arn
      region             = var.account.region
    }
  }
}

# The application names the object's version: a changed package is a new version, which restarts it from a snapshot.
resource "aws_s3_object" "package" {
  bucket      = var.code_bucket.name
  key         = "artifacts/realtime_analytics.zip"
  kms_key_id  = var.settings.kms_key_arns.events
  source      = local.package
  source_hash = filebase64sha256(local.package)
}

resource "aws_kinesisanalyticsv2_application" "this" {
  name                   = local.application_name
  description            = "Windows and alerts of each game, from the enriched events."
  runtime_environment    = "FLINK-1_20"
  service_execution_role = module.application_role.arn
  start_application      = var.application.start

  application_configuration {
    application_code_configuration {
      code_content_type = "ZIPFILE"

      code_content {
        s3_content_location {
          bucket_arn     = var.code_bucket.arn
          file_key       = aws_s3_object.package.key
          object_version = aws_s3_object.package.version_id
        }
      }
    }

    application_snapshot_configuration {
      snapshots_enabled = true
    }

    environment_properties {
      dynamic "property_group" {
        for_each = local.property_groups

        content {
          property_group_id = property_group.key
          property_map      = property_group.value
        }
      }
    }

    flink_application_configuration {
      checkpoint_configuration {
        checkpoint_interval           = 60000
        checkpointing_enabled         = true
        configuration_type            = "CUSTOM"
        min_pause_between_checkpoints = 5000
      }

      monitoring_configuration {
        configuration_type = "CUSTOM"
        log_level          = "INFO"
        metrics_level      = "APPLICATION"
      }

      parallelism_configuration {
        auto_scaling_enabled = true
        configuration_type   = "CUSTOM"
        parallelism          = var.application.parallelism
        parallelism_per_kpu  = var.application.parallelism_per_kpu
      }
    }

    # The snapshot that an application restores is known after its first start.
    dynamic "run_configuration" {
      for_each = var.application.start ? [true] : []

      content {
        application_restore_configuration {
          application_restore_type = "RESTORE_FROM_LATEST_SNAPSHOT"
        }

        flink_run_configuration {
          allow_non_restored_state = false
        }
      }
    }

    dynamic "vpc_configuration" {
      for_each = local.in_vpc ? [var.vpc] : []

      content {
        security_group_ids = vpc_configuration.value.security_group_ids
        subnet_ids         = vpc_configuration.value.subnet_ids
      }
    }
  }

  cloudwatch_logging_options {
    log_stream_arn = aws_cloudwatch_log_stream.application.arn
  }

  # Managed Flink cannot change a description: Terraform would replace the application and lose its state.
  lifecycle {
    ignore_changes = [description]
  }
}

# The provider starts an application when it creates it or when `start` changes, not when it stopped later.
check "application_runs" {
  assert {
    condition     = var.application.start ? aws_kinesisanalyticsv2_application.this.status != "READY" : true
    error_message = "${local.application_name} is stopped, and an apply does not start it: see ${local.runbook}."
  }
}

resource "aws_cloudwatch_log_group" "application" {
  name              = "/aws/kinesis-analytics/${local.application_name}"
  kms_key_id        = var.settings.kms_key_arns.operations
  retention_in_days = var.settings.log_retention_days
}

resource "aws_cloudwatch_log_stream" "application" {
  name           = "application"
  log_group_name = aws_cloudwatch_log_group.application.name
}
