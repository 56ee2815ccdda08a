locals {
  runbook           = "docs/runbooks/batch-failed.md"
  state_machine_arn = "arn:${var.account.partition}:states:${var.account.region}:${var.account.id}:stateMachine:${local.name}"

  # EMR's own is 3.9.
  python = "/usr/bin/python3.11"

  # Tables are those of the catalog `lake`; Spark's own one stays in memory, and asks Glue for nothing the role may not.
  spark = {
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
    "spark.rdd.compress"                                   = true
    "spark.sql.catalog.lake"                               = "org.apache.iceberg.spark.SparkCatalog"
    "spark.sql.catalog.lake.cache-enabled"                 = false
    "spark.sql.catalog.lake.catalog-impl"                  = "org.apache.iceberg.aws.glue.GlueCatalog"
    "spark.sql.catalog.lake.io-impl"                       = "org.apache.iceberg.aws.s3.S3FileIO"
    "spark.sql.catalog.lake.warehouse"                     = "s3://${var.lake.name}/"
    "spark.sql.catalogImplementation"                      = "in-memory"
    "spark.sql.defaultCatalog"                             = "lake"
    "spark.sql.extensions"                                 = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
    "spark.sql.inMemoryColumnarStorage.compressed"         = false
    "spark.sql.session.timeZone"                           = "UTC"
    "spark.sql.shuffle.partitions"                         = 8 * var.job.maximum_executors * local.worker.vcpus
  }

  submit_parameters = join(" ", [
    "--py-files s3://${var.lake.name}/${aws_s3_object.package["code"].key}",
    join(" ", [for name, value in local.spark : "--conf ${name}=${value}"]),
  ])

  definition = {
    Comment        = "Bronze to gold in one Spark job: silver, gold, audit, publish. Takes {from, to, run_id}, or the time the schedule fired at."
    QueryLanguage  = "JSONata"
    StartAt        = "Scheduled"
    TimeoutSeconds = 43200
    States = {
      Scheduled = {
        Type    = "Choice"
        Choices = [{ Condition = "{% $exists($states.input.scheduled) %}", Next = "Hours" }]
        Default = "Running"
      }

      # Not the last hour: Firehose has written the last events of those before it by now.
      Hours = {
        Type = "Pass"
        Output = {
          from = "{% $fromMillis($toMillis($states.input.scheduled) - ${local.until_hours + var.schedule.every_hours} * 3600000, '[Y0001]-[M01]-[D01]T[H01]') %}"
          to   = "{% $fromMillis($toMillis($states.input.scheduled) - ${local.until_hours} * 3600000, '[Y0001]-[M01]-[D01]T[H01]') %}"
        }
        Next = "StartRun"
      }

      # The schedule may fire twice and can name no execution: the name makes the same hours run once.
      StartRun = {
        Type     = "Task"
        Resource = "arn:${var.account.partition}:states:::states:startExecution"
        Arguments = {
          StateMachineArn = local.state_machine_arn
          Name            = local.run_id
          Input           = { from = "{% $states.input.from %}", run_id = local.run_id, to = "{% $states.input.to %}" }
        }
        Next  = "Done"
        Retry = [{ ErrorEquals = local.already_started, MaxAttempts = 0 }, { ErrorEquals = ["States.ALL"], BackoffRate = 2, IntervalSeconds = 5, MaxAttempts = 5 }]
        Catch = [{ ErrorEquals = local.already_started, Next = "Done" }]
      }

      # Runs change the same tables: the one that started first goes first.
      Running = {
        Type     = "Task"
        Resource = "arn:${var.account.partition}:states:::aws-sdk:sfn:listExecutions"
        Arguments = {
          MaxResults      = 1000
          StateMachineArn = local.state_machine_arn
          StatusFilter    = "RUNNING"
        }
        Assign = {
          earlier = "{% $count($states.result.Executions[$toMillis(StartDate) < $toMillis($states.context.Execution.StartTime)]) %}"
        }
        Output = "{% $states.input %}"
        Next   = "First"
        Retry  = [{ ErrorEquals = ["States.ALL"], BackoffRate = 2, IntervalSeconds = 5, JitterStrategy = "FULL", MaxAttempts = 5 }]
      }
      First = {
        Type    = "Choice"
        Choices = [{ Condition = "{% $earlier = 0 %}", Next = "Job" }]
        Default = "Wait"
      }
      Wait = { Type = "Wait", Seconds = 60, Next = "Running" }

      # One session for all steps; the audit within it decides which games are published. Each step can be run
      # again: a retry, or another run of the same hours, changes nothing.
      Job = {
        Type     = "Task"
        Resource = "arn:${var.account.partition}:states:::emr-serverless:startJobRun.sync"
        Arguments = {
          ApplicationId           = aws_emrserverless_application.this.id
          ExecutionRoleArn        = module.job_role.arn
          ExecutionTimeoutMinutes = var.job.timeout_minutes
          Name                    = "{% $states.input.run_id %}"
          JobDriver = {
            SparkSubmit = {
              EntryPoint = "s3://${var.lake.name}/${aws_s3_object.package["entry"].key}"
              EntryPointArguments = [
                "all", "--lake", "s3://${var.lake.name}", "--database", var.lake.database,
                "--run-id", "{% $states.input.run_id %}",
                "--from", "{% $states.input.from %}", "--to", "{% $states.input.to %}",
              ]
              SparkSubmitParameters = local.submit_parameters
            }
          }
          ConfigurationOverrides = {
            MonitoringConfiguration = {
              CloudWatchLoggingConfiguration = {
                Enabled             = true
                LogGroupName        = aws_cloudwatch_log_group.job.name
                LogStreamNamePrefix = "run"
              }
              # The event logs of the Spark UI: kept with the platform's key rather than in EMR's own store.
              ManagedPersistenceMonitoringConfiguration = { Enabled = false }
              S3MonitoringConfiguration                 = { LogUri = "s3://${var.lake.name}/batch/logs/" }
            }
          }
        }
        Output = "{% $states.input %}"
        Next   = "Done"
        Retry = [{
          ErrorEquals     = ["States.ALL"]
          BackoffRate     = 2
          IntervalSeconds = 60
          JitterStrategy  = "FULL"
          MaxAttempts     = 2
        }]
        Catch = [{
          ErrorEquals = ["States.ALL"]
          Next        = "Alert"
          Output      = "{% $merge([$states.input, { 'cause': $states.errorOutput.Cause }]) %}"
        }]
      }

      Alert = {
        Type     = "Task"
        Resource = "arn:${var.account.partition}:states:::sns:publish"
        Arguments = {
          Message  = "{% 'The batch run ' & $states.input.run_id & ' (' & $states.input.from & ' to ' & $states.input.to & ') failed. No events are lost: the run can be started again. What to do: ${local.runbook}. ' & $states.input.cause %}"
          Subject  = "A batch run failed"
          TopicArn = var.alerts_topic_arn
        }
        Output = "{% $states.input %}"
        Next   = "Failed"
        Retry  = [{ ErrorEquals = ["States.ALL"], BackoffRate = 2, IntervalSeconds = 5, MaxAttempts = 3 }]
        Catch  = [{ ErrorEquals = ["States.ALL"], Next = "Failed", Output = "{% $states.input %}" }]
      }
      Failed = {
        Type  = "Fail"
        Error = "BatchRunFailed"
        Cause = "{% $states.input.cause %}"
      }
      Done = { Type = "Succeed" }
    }
  }

  # Both ends: where a run is given more hours, the first of them may name one that has taken less.
  run_id = "{% 'hours-' & $states.input.from & '--' & $states.input.to %}"

  # From the end of what a run takes to its start.
  until_hours = var.schedule.delay_hours - 1

  # What a run takes ends an hour into a day: an event of that hour tells that the day before is over.
  starts = join(",", range((1 + local.until_hours) % var.schedule.every_hours, 24, var.schedule.every_hours))

  already_started = ["ExecutionAlreadyExists", "StepFunctions.ExecutionAlreadyExistsException"]
}

resource "aws_sfn_state_machine" "this" {
  name       = local.name
  definition = jsonencode(local.definition)
  role_arn   = module.state_machine_role.arn

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

# A name of AWS's own: the policy that lets Step Functions write does not grow with each state machine.
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
