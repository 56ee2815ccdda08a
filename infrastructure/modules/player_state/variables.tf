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

variable "name_limits" {
  type = object({
    ads        = optional(number, 100)
    designs    = optional(number, 200)
    devices    = optional(number, 50)
    flows      = optional(number, 200)
    late_names = optional(number, 5)
    levels     = optional(number, 200)
    versions   = optional(number, 50)
  })
  description = <<-EOT
    Most names that clients choose, by game and day. Further names count as `other`.
    An event that arrives over two days late brings a new name while its day has fewer than `late_names`.
  EOT
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
