variable "account" {
  type        = object({ id = string, partition = string, region = string })
  description = "Account, partition and region of the environment."
  nullable    = false
}

variable "bucket" {
  type        = object({ arn = string, name = string })
  description = "Bucket of the lake: silver/, gold/ and kept/ take the tables, athena-results/ the answers of queries."
  nullable    = false
}

variable "database" {
  type        = string
  description = "Glue database that takes the tables."
  nullable    = false
}

variable "force_destroy" {
  type        = bool
  description = "Whether destroying the environment destroys the workgroup's queries."
  default     = false
  nullable    = false
}

variable "optimize" {
  type        = bool
  description = "Whether Glue compacts the tables, and removes old snapshots and files that none of them names."
  default     = true
  nullable    = false
}

variable "scan_limit_gb" {
  type        = number
  description = "The most a query may scan: it is stopped beyond."
  default     = 100
  nullable    = false

  validation {
    condition     = var.scan_limit_gb >= 1 && floor(var.scan_limit_gb) == var.scan_limit_gb
    error_message = "A query may scan a whole number of GB, at least one."
  }
}

variable "settings" {
  type = object({
    boundary_arn       = optional(string, "")
    kms_key_arns       = object({ events = string })
    layer_arns         = list(string)
    log_level          = string
    log_retention_days = number
    name_prefix        = string
    packages_directory = string
    tracing            = bool
  })
  description = "What the functions and applications of an environment share."
  nullable    = false
}
