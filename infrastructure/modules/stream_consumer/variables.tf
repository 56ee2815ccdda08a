variable "batches_at_once" {
  type        = number
  description = "Batches of a shard that run at once, each with keys of its own. Counters of a shard need 1."
  default     = 1
  nullable    = false

  validation {
    condition     = contains(range(1, 11), var.batches_at_once)
    error_message = "Lambda runs 1 to 10 batches of a shard at once."
  }
}

variable "consumer" {
  type = object({
    batch_size           = number
    batch_window_seconds = number
    memory_mb            = number
    timeout_seconds      = number
  })
  description = "Records and seconds of the stream that one invocation takes, its memory and its time limit."
  nullable    = false

  validation {
    condition     = var.consumer.batch_size >= 1 && var.consumer.batch_size <= 10000
    error_message = "A batch holds 1 to 10000 records."
  }

  validation {
    condition     = var.consumer.batch_window_seconds >= 0 && var.consumer.batch_window_seconds <= 300
    error_message = "A batch gathers for 0 to 300 seconds."
  }
}

variable "description" {
  type        = string
  description = "What the function is for."
  nullable    = false
}

variable "environment" {
  type        = map(string)
  description = "Environment variables, besides those of Powertools."
  nullable    = false
}

variable "event_types" {
  type        = list(string)
  description = "Types of events that the function gets, of a stream with JSON records (empty: all records)."
  default     = []
  nullable    = false
}

variable "name" {
  type        = string
  description = "Name of the function's Python package."
  nullable    = false
}

variable "name_limits" {
  type        = map(number)
  description = "Most names of each kind that clients choose in a game (empty: the function keeps no such names)."
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for limit in values(var.name_limits) : limit >= 1 && limit <= 1000 && floor(limit) == limit
    ])
    error_message = "Each limit must be a whole number from 1 to 1,000: readers read a row for each name."
  }
}

variable "policy_statements" {
  type = map(object({
    actions   = list(string)
    condition = optional(map(map(list(string))), {})
    resources = list(string)
  }))
  description = "Statements for what the function does besides reading the stream, keyed by Sid."
  nullable    = false
}

variable "settings" {
  type = object({
    alerts_topic_arn   = string
    boundary_arn       = optional(string, "")
    code_signing_arn   = optional(string, "")
    kms_key_arns       = object({ events = string, operations = string })
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

variable "stream_arn" {
  type        = string
  description = "Kinesis stream the function reads."
  nullable    = false
}
