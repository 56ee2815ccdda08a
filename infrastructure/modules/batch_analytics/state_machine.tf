locals {
  runbook = "docs/runbooks/batch-analytics.md"

  # The machine starts itself, so it cannot refer to its resource.
  state_machine_arn = join(":", [
    "arn", var.account.partition, "states", var.account.region, var.account.id, "stateMachine", local.name,
  ])

  # The default of EMR is Python 3.9.
  python = "/usr/bin/python3.11"

  # Tables are in the catalog `lake`. Spark's own catalog stays in memory, so that it asks Glue for nothing. spark.json
  # has what holds on a developer's machine too: scripts/batch reads it.
  spark = merge(jsondecode(file("${path.module}/spark.json")), {
    "spark.driver.cores"                                   = local.worker.vcpus
    "spark.driver.memory"                                  = "${local.worker.spark_memory_gb}g"
    "spark.dynamicAllocation.initialExecutors"             = min(3, var.job.maximum_executors)
    "spark.dynamicAllocation.maxExecutors"                 = var.job.maximum_executors
    "spark.emr-serverless.driver.disk"                     = "${local.worker.disk_gb}g"
    "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON" = local.python
    "spark.emr-serverless.driverEnv.PYSPARK_PYTHON"        = local.python
    "spark.emr-serverless.executor.disk"                   = "${local.worker.disk_gb}g"
    "spark.executor.cores"                                 = local.worker.vcpus
    "spark.executor.memory"                                = "${local.worker.spark_memory_gb}g"
    "spark.executorEnv.PYSPARK_PYTHON"                     = local.python
    "spark.pyspark.driver.python"                          = local.python
    "spark.pyspark.python"                                 = local.python
    "spark.jars"                                           = "/usr/share/aws/iceberg/lib/iceberg-spark3-runtime.jar"
    "spark.sql.catalog.lake.warehouse"                     = "s3://${var.lake.name}/"
    "spark.sql.catalogImplementation"                      = "in-memory"
    "spark.sql.shuffle.partitions"                         = 8 * var.job.maximum_executors * local.worker.vcpus
  })

  submit_parameters = join(" ", [
    "--py-files s3://${var.lake.name}/${aws_s3_object.package["code"].key}",
    join(" ", [for name, value in local.spark : "--conf ${name}=${value}"]),
  ])

  # Hours from the end of a run's data to the start of the run.
  until_hours = var.schedule.delay_hours - 1

  # A run's data ends an hour into a day: an event of that hour shows that the day before is over.
  starts = join(",", range((1 + local.until_hours) % var.schedule.every_hours, 24, var.schedule.every_hours))
}

resource "aws_sfn_state_machine" "this" {
  name     = local.name
  role_arn = module.state_machine_role.arn

  definition = templatefile("${path.module}/state_machine.asl.json", {
    alerts_topic_arn  = var.alerts_topic_arn
    application_id    = aws_emrserverless_application.this.id
    database          = var.lake.database
    entry_key         = aws_s3_object.package["entry"].key
    hours_to_end      = local.until_hours
    hours_to_start    = local.until_hours + var.schedule.every_hours
    job_role_arn      = module.job_role.arn
    lake              = var.lake.name
    log_group         = aws_cloudwatch_log_group.job.name
    partition         = var.account.partition
    runbook           = local.runbook
    state_machine_arn = local.state_machine_arn
    submit_parameters = local.submit_parameters
    timeout_minutes   = var.job.timeout_minutes
  })

  encryption_configuration {
    kms_data_key_reuse_period_seconds = 900
    kms_key_id                        = var.settings.kms_key_arns.operations
    type                              = "CUSTOMER_MANAGED_KMS_KEY"
  }

  logging_configuration {
    include_execution_data = true
    level                  = "ERROR"
    log_destination        = "${aws_cloudwatch_log_group.state_machine.arn}:*"
  }

  tracing_configuration {
    enabled = var.settings.tracing
  }
}

# With this prefix of AWS, the resource policy for Step Functions does not grow with each state machine.
resource "aws_cloudwatch_log_group" "state_machine" {
  name              = "/aws/vendedlogs/states/${local.name}"
  kms_key_id        = var.settings.kms_key_arns.operations
  retention_in_days = var.settings.log_retention_days
}

resource "aws_scheduler_schedule" "this" {
  name                = local.name
  description         = "Brings the hours of bronze into gold."
  kms_key_arn         = var.settings.kms_key_arns.operations
  schedule_expression = "cron(${var.schedule.minute} ${local.starts} * * ? *)"
  state               = var.schedule.enabled ? "ENABLED" : "DISABLED"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_sfn_state_machine.this.arn
    input    = "{\"scheduled\":\"<aws.scheduler.scheduled-time>\"}"
    role_arn = module.schedule_role.arn

    dead_letter_config {
      arn = module.schedule_failures.arn
    }

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }
  }
}

module "schedule_failures" {
  source = "../failure_queue"

  alerts_topic_arn = var.alerts_topic_arn
  kms_key_arn      = var.settings.kms_key_arns.operations
  name             = "${local.name}-schedule"
  runbook          = local.runbook
}
