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

variable "enriched_stream_arn" {
  type        = string
  description = "Kinesis stream of valid events, keyed by player."
  nullable    = false
}

variable "game_days_table" {
  type        = object({ arn = string, name = string })
  description = "Table of counters of games, which keeps the names that clients gave to boards."
  nullable    = false
}

variable "name_limits" {
  type        = object({ boards = optional(number, 100) })
  description = "Most boards without a definition that a game may have, for all days together."
  default     = {}
  nullable    = false
}

variable "protection" {
  type        = object({ deletion = bool, point_in_time_recovery = bool })
  description = "Whether the tables refuse deletion, and can be restored to any second of the last 35 days."
  nullable    = false
}

variable "settings" {
  type = object({
    alerts_topic_arn   = string
    boundary_arn       = optional(string, "")
    code_signing_arn   = optional(string, "")
    kms_key_arns       = object({ events = string, operations = string, players = string })
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
