variable "description" {
  type        = string
  description = "What the function is for."
  nullable    = false
}

variable "environment" {
  type        = map(string)
  description = "Environment variables, besides those of Powertools."
  default     = {}
  nullable    = false
}

variable "name" {
  type        = string
  description = <<-TEXT
    Name of the function's Python package. Its zip is <name>.zip, its handler <name>.handler.lambda_handler.
  TEXT
  nullable    = false

  validation {
    condition     = fileexists("${var.settings.packages_directory}/${var.name}.zip")
    error_message = "No ${var.name}.zip in ${var.settings.packages_directory}: run `make build` first."
  }
}

variable "policy_statements" {
  type = map(object({
    actions   = list(string)
    condition = optional(map(map(list(string))), {})
    resources = list(string)
  }))
  description = "Least-privilege statements, keyed by Sid."
  default     = {}
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

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN", "ERROR"], var.settings.log_level)
    error_message = "The log level is DEBUG, INFO, WARN or ERROR."
  }
}

variable "sizing" {
  type        = object({ memory_mb = number, reserved_concurrency = optional(number, -1), timeout_seconds = number })
  description = <<-TEXT
    Memory (1,769 MB are one vCPU), time limit, and executions that are reserved for the function, which may use no
    more. -1 reserves none and sets no limit.
  TEXT
  nullable    = false

  validation {
    condition     = var.sizing.memory_mb >= 128 && var.sizing.memory_mb <= 10240
    error_message = "memory_mb is 128 to 10240."
  }

  validation {
    condition     = var.sizing.timeout_seconds >= 1 && var.sizing.timeout_seconds <= 900
    error_message = "timeout_seconds is at most 900."
  }

  validation {
    condition     = var.sizing.reserved_concurrency == -1 || var.sizing.reserved_concurrency >= 1
    error_message = "reserved_concurrency is -1 (none) or at least 1: with 0 the function never runs."
  }
}
