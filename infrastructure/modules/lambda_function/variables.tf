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
  description = "Name of the function's Python package; its zip is <name>.zip and its handler <name>.handler.lambda_handler."
  nullable    = false

  validation {
    condition     = fileexists("${var.settings.packages_directory}/${var.name}.zip")
    error_message = "No ${var.name}.zip in ${var.settings.packages_directory}: run `make build` first."
  }
}

variable "policy_statements" {
  type        = map(object({ actions = list(string), condition = optional(map(map(string)), {}), resources = list(string) }))
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
    packages_directory = string
    tracing            = bool
  })
  description = "What the functions of an environment share."
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN", "ERROR"], var.settings.log_level)
    error_message = "The log level is DEBUG, INFO, WARN or ERROR."
  }
}

variable "sizing" {
  type        = object({ memory_mb = number, reserved_concurrency = optional(number, -1), timeout_seconds = number })
  description = "Memory (1,769 MB are one vCPU), executions reserved for and allowed to the function (-1: no limit of its own), and time limit."
  nullable    = false

  validation {
    condition     = var.sizing.memory_mb >= 128 && var.sizing.memory_mb <= 10240
    error_message = "Lambda offers 128 to 10240 MB."
  }

  validation {
    condition     = var.sizing.timeout_seconds >= 1 && var.sizing.timeout_seconds <= 900
    error_message = "Lambda runs at most 900 seconds."
  }

  validation {
    condition     = var.sizing.reserved_concurrency == -1 || var.sizing.reserved_concurrency >= 1
    error_message = "A function reserves -1 (nothing) or at least one execution; with 0 it never runs."
  }
}
