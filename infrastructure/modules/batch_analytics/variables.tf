variable "account" {
  type        = object({ id = string, partition = string, region = string })
  description = "Account, partition and region of the environment."
  nullable    = false
}

variable "alerts_topic_arn" {
  type        = string
  description = "Topic that failed runs and alarms report to."
  nullable    = false
}

variable "job" {
  type = object({ maximum_executors = optional(number, 2), timeout_minutes = optional(number, 240) })

  description = <<-TEXT
    Executors of a run at most, and minutes until a run is given up and tried again. The application may use four vCPUs for each
    executor, and eight more. The default is what a new account may use: EMR Serverless allows 16 concurrent vCPUs an
    account and region until the quota "Max concurrent vCPUs per account" is raised.
  TEXT
  default     = {}
  nullable    = false

  validation {
    condition     = var.job.maximum_executors >= 1 && floor(var.job.maximum_executors) == var.job.maximum_executors
    error_message = "A run has a whole number of executors, at least one."
  }

  validation {
    condition     = var.job.timeout_minutes >= 5 && var.job.timeout_minutes <= 720
    error_message = "A run is given 5 to 720 minutes: its execution ends after twelve hours."
  }
}

variable "lake" {
  type        = object({ arn = string, database = string, name = string, tables = set(string) })
  description = "Bucket of the lake, its Glue database, and the tables there that a run writes."
  nullable    = false
}

variable "schedule" {
  type        = object({ delay_hours = optional(number, 2), enabled = optional(bool, true), every_hours = number, minute = optional(number, 10) })
  description = "How many hours of bronze a run takes, the first of a day ending at 01:00 UTC; how long after the start of the last of them it begins, and at which minute."
  nullable    = false

  validation {
    condition     = var.schedule.delay_hours >= 2 && floor(var.schedule.delay_hours) == var.schedule.delay_hours
    error_message = "Firehose still writes the last hour: the last one of a run starts at least two hours before."
  }

  validation {
    condition     = contains([1, 2, 3, 4, 6, 8, 12, 24], var.schedule.every_hours)
    error_message = "Runs divide a day: one takes 1, 2, 3, 4, 6, 8, 12 or 24 hours."
  }

  validation {
    condition     = var.schedule.minute >= 0 && var.schedule.minute <= 59 && floor(var.schedule.minute) == var.schedule.minute
    error_message = "An hour has the minutes 0 to 59."
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
    packages_directory = string
    tracing            = bool
  })
  description = "What the functions and applications of an environment share."
  nullable    = false
}
