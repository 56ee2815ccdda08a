variable "consumer" {
  type = object({
    batch_size           = number
    batch_window_seconds = number
    memory_mb            = number
    timeout_seconds      = number
  })
  description = "Records and seconds gathered into one invocation, and what the invocation may use."
  nullable    = false
}

variable "enriched_stream_arn" {
  type        = string
  description = "Kinesis stream of valid events, keyed by player."
  nullable    = false
}

variable "protection" {
  type        = object({ deletion = bool, point_in_time_recovery = bool })
  description = "Whether the tables refuse deletion, and whether any second of the last 35 days can be restored."
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
    packages_directory = string
    tracing            = bool
  })
  description = "What the functions of an environment share."
  nullable    = false
}
