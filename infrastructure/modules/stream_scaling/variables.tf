variable "account_id" {
  type        = string
  description = "Account of the environment."
  nullable    = false
}

variable "settings" {
  type = object({
    alerts_topic_arn   = string
    boundary_arn       = optional(string, "")
    code_signing_arn   = optional(string, "")
    kms_key_arns       = object({ operations = string })
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

variable "streams" {
  type        = map(object({ arn = string, maximum = number, minimum = number, readers = number }))
  description = "Provisioned streams by name: fewest and most shards, and how many read each record."
  nullable    = false

  validation {
    condition     = alltrue([for stream in var.streams : stream.minimum >= 1 && stream.maximum >= stream.minimum])
    error_message = "minimum is at least 1, and maximum is not below minimum."
  }

  validation {
    condition     = alltrue([for stream in var.streams : stream.readers >= 1 && stream.readers <= 5])
    error_message = "A shard answers five reads a second, so it has 1 to 5 readers."
  }
}
