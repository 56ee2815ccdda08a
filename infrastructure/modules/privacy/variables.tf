variable "account" {
  type        = object({ id = string, partition = string, region = string })
  description = "Account, partition and region of the environment."
  nullable    = false
}

variable "enabled" {
  type        = bool
  description = "Whether the schedule fires."
  default     = true
  nullable    = false
}

variable "lake" {
  type        = object({ arn = string, name = string })
  description = "Bucket of bronze, silver, the quarantine and the receipts."
  nullable    = false
}

variable "settings" {
  type = object({
    alerts_topic_arn   = string
    boundary_arn       = optional(string, "")
    code_signing_arn   = optional(string, "")
    kms_key_arns       = object({ credentials = string, events = string, operations = string, players = string })
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

variable "silver" {
  type        = object({ database = string, personal_tables = set(string), workgroup = string })
  description = <<-TEXT
    Glue database of silver, its tables that name players, and the Athena workgroup that queries them (empty: there is
    no silver).
  TEXT
  nullable    = false
}

variable "tables" {
  type = object({
    games         = object({ arn = string, name = string })
    leaderboards  = object({ arn = string, name = string })
    players       = object({ arn = string, name = string })
    recent_events = object({ arn = string, name = string })
  })
  description = "Tables that name players, and the table of games."
  nullable    = false
}

variable "warehouse_function" {
  type        = object({ arn = string, name = string })
  description = "Function that changes the warehouse. Empty: there is no warehouse."
  nullable    = false
}
