variable "account" {
  type        = object({ id = string, partition = string, region = string })
  description = "Account, partition and region of the environment."
  nullable    = false
}

variable "alerts_topic_arn" {
  type        = string
  description = "SNS topic that failed runs and alarms report to."
  nullable    = false
}

variable "job" {
  type        = object({ maximum_executors = optional(number, 2), timeout_minutes = optional(number, 240) })
  description = <<-TEXT
    Most executors of a run, and minutes after which a run is stopped and tried again. The application may use four
    vCPUs for each executor, and eight more. The default fits a new account: EMR Serverless allows 16 concurrent vCPUs
    in an account and region until the quota "Max concurrent vCPUs per account" is raised.
  TEXT
  default     = {}
  nullable    = false

  validation {
    condition     = var.job.maximum_executors >= 1 && floor(var.job.maximum_executors) == var.job.maximum_executors
    error_message = "A run has a whole number of executors, at least 1."
  }

  validation {
    condition     = var.job.timeout_minutes >= 5 && var.job.timeout_minutes <= 720
    error_message = "timeout_minutes is 5 to 720: the state machine stops after twelve hours."
  }
}

variable "lake" {
  type        = object({ arn = string, database = string, name = string, tables = set(string) })
  description = "Bucket of the lake, its Glue database, and the tables that a run writes."
  nullable    = false
}

variable "schedule" {
  type = object({
    delay_hours = optional(number, 2)
    enabled     = optional(bool, true)
    every_hours = number
    minute      = optional(number, 10)
  })
  description = <<-TEXT
    When runs start. A run takes `every_hours` hours of bronze; the first run of a day takes the hours to 01:00 UTC.
    It starts `delay_hours` hours after the start of its last hour, at the minute `minute`.
  TEXT
  nullable    = false

  validation {
    condition     = var.schedule.delay_hours >= 2 && floor(var.schedule.delay_hours) == var.schedule.delay_hours
    error_message = "delay_hours is a whole number of at least 2: Firehose still writes the last hour."
  }

  validation {
    condition     = contains([1, 2, 3, 4, 6, 8, 12, 24], var.schedule.every_hours)
    error_message = "every_hours divides a day: 1, 2, 3, 4, 6, 8, 12 or 24."
  }

  validation {
    condition     = contains(range(60), var.schedule.minute)
    error_message = "minute is 0 to 59."
  }
}

variable "settings" {
  type = object({
    boundary_arn       = optional(string, "")
    kms_key_arns       = object({ events = string, operations = string })
    layer_arns         = list(string)
    log_level          = string
    log_retention_days = number
    name_prefix        = string
    packages_bucket    = string
    packages_directory = string
    tracing            = bool
  })
  description = "Settings that the functions and applications of an environment share."
  nullable    = false
}
