variable "account_id" {
  type        = string
  description = "Account of the environment."
  nullable    = false
}

variable "description" {
  type        = string
  description = "What the function does, in a sentence."
  nullable    = false
}

variable "enabled" {
  type        = bool
  description = "Whether the schedules fire."
  default     = true
  nullable    = false
}

variable "environment" {
  type        = map(string)
  description = "Environment variables."
  default     = {}
  nullable    = false
}

variable "name" {
  type        = string
  description = "Name of the function's folder and package."
  nullable    = false
}

variable "policy_statements" {
  type = map(object({
    actions   = list(string)
    condition = optional(map(map(list(string))), {})
    resources = list(string)
  }))
  description = "What the function may do, by statement id."
  nullable    = false
}

variable "runbook" {
  type        = string
  description = "Runbook for failed runs: a file of docs/runbooks/."
  nullable    = false
}

variable "schedules" {
  type        = map(object({ expression = string, input = optional(string, "{}") }))
  description = "Schedules by name: when the function runs (EventBridge Scheduler, UTC) and its event."
  nullable    = false

  validation {
    condition     = alltrue([for schedule in var.schedules : can(regex("^(cron|rate)\\(", schedule.expression))])
    error_message = "A schedule is cron(…) or rate(…)."
  }
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

variable "sizing" {
  type        = object({ memory_mb = number, timeout_seconds = number })
  description = "Memory and time limit."
  nullable    = false
}
