variable "consumer" {
  type = object({
    batch_size           = number
    batch_window_seconds = number
    memory_mb            = number
    timeout_seconds      = number
  })
  description = "Records and seconds of the stream that one invocation takes, its memory and its time limit."
  nullable    = false
}

variable "dedupe_window_hours" {
  type        = number
  description = <<-TEXT
    Hours in which a repeated event_id is a duplicate (0 keeps duplicates). They must outlast the day in which a batch
    is retried.
  TEXT
  default     = 48
  nullable    = false

  validation {
    condition     = var.dedupe_window_hours == 0 || var.dedupe_window_hours >= 24
    error_message = "Batches are retried for 23 hours: a shorter window would accept their events twice."
  }
}

variable "delivery_streams" {
  type = object({
    bronze   = object({ arn = string, name = string })
    rejected = object({ arn = string, name = string })
  })
  description = "Firehose streams to the lake, of valid and of rejected events."
  nullable    = false
}

variable "enriched_stream" {
  type        = object({ arn = string, name = string })
  description = "Kinesis stream that valid events go to."
  nullable    = false
}

variable "games_table" {
  type        = object({ arn = string, name = string })
  description = "Table of the games that may send events."
  nullable    = false
}

variable "protection" {
  type        = object({ deletion = bool, point_in_time_recovery = bool })
  description = "Whether the tables refuse deletion, and can be restored to any second of the last 35 days."
  nullable    = false
}

variable "raw_stream_arn" {
  type        = string
  description = "Kinesis stream that the events come from."
  nullable    = false
}

variable "reject_rate_alarm" {
  type        = object({ percent = number, periods = number })
  description = "Percentage of rejected events of a game that is an alarm after some periods of 5 minutes."
  default     = { percent = 5, periods = 2 }
  nullable    = false

  validation {
    condition = (
      var.reject_rate_alarm.percent > 0 && var.reject_rate_alarm.percent < 100 && var.reject_rate_alarm.periods >= 1
    )
    error_message = "The alarm needs a rate between 0 and 100 percent, and at least one period."
  }
}

variable "settings" {
  type = object({
    alerts_topic_arn   = string
    boundary_arn       = optional(string, "")
    code_signing_arn   = optional(string, "")
    kms_key_arns       = object({ credentials = string, events = string, operations = string, players = string })
    layer_arns         = list(string)
    log_level          = string
    log_retention_days = number
    name_prefix        = string
    packages_bucket    = string
    packages_directory = string
    tracing            = bool
  })
  description = "Settings that the functions of an environment share."
  nullable    = false
}
