variable "account" {
  type        = object({ id = string, partition = string, region = string })
  description = "Account and region of the environment."
  nullable    = false
}

variable "enabled" {
  type        = bool
  description = "Whether the schedules fire."
  default     = true
  nullable    = false
}

variable "lake" {
  type        = object({ arn = string, database = string, name = string })
  description = "Bucket that reports are archived in, below reports/, and the Glue database of its tables."
  nullable    = false
}

variable "metrics_api" {
  type        = object({ function_name = string, page_url = string })
  description = "Function that answers saved questions, and the base URL of its pages; empty where nobody signs in."
  nullable    = false
}

variable "protection" {
  type        = object({ deletion = bool, point_in_time_recovery = bool })
  description = "Whether the table of sent reports refuses deletion, and can be restored to any second of 35 days."
  nullable    = false
}

variable "sender" {
  type        = string
  description = "Address that reports are mailed from, which SES has verified (docs/first-day.md). Empty: no mail."
  default     = ""
  nullable    = false

  validation {
    condition     = var.sender == "" || can(regex("^[^@\\s*]+@[^@\\s*]+\\.[^@\\s*]+$", var.sender))
    error_message = "The sender is one e-mail address."
  }
}

variable "settings" {
  type = object({
    alerts_topic_arn   = string
    boundary_arn       = optional(string, "")
    code_signing_arn   = optional(string, "")
    kms_key_arns       = object({ credentials = string, events = string, operations = string })
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

variable "tables" {
  type = object({
    game_days = object({ arn = string, name = string })
    games     = object({ arn = string, name = string })
  })
  description = "Tables that reports are made of."
  nullable    = false
}

variable "workgroup" {
  type        = object({ arn = string, name = string, results = string })
  description = "Workgroup of Athena that gold is queried through, and the prefix of its results in the lake."
  nullable    = false
}
