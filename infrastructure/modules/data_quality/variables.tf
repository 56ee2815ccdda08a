variable "account_id" {
  type        = string
  description = "Account of the environment."
  nullable    = false
}

variable "enabled" {
  type        = bool
  description = "Whether the schedule fires."
  default     = true
  nullable    = false
}

variable "history_every_hours" {
  type        = number
  description = "Hours from one batch run to the next."
  nullable    = false
}

variable "lake" {
  type        = object({ arn = string, name = string })
  description = "Bucket in which the batch job writes its audits."
  nullable    = false
}

variable "protection" {
  type        = object({ deletion = bool, point_in_time_recovery = bool })
  description = "Whether the table refuses deletion, and can be restored to any second of 35 days."
  nullable    = false
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
    game_days    = object({ arn = string, name = string })
    games        = object({ arn = string, name = string })
    ingest_stats = object({ arn = string, name = string })
    realtime     = object({ arn = string, name = string })
  })
  description = "Tables that the checks read."
  nullable    = false
}
