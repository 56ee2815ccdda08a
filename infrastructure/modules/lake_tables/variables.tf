variable "account" {
  type        = object({ id = string, partition = string, region = string })
  description = "Account, partition and region of the environment."
  nullable    = false
}

variable "bucket" {
  type        = object({ arn = string, name = string })
  description = "Bucket of the lake: tables are in silver/, gold/ and kept/, results of queries in athena-results/."
  nullable    = false
}

variable "database" {
  type        = string
  description = "Glue database of the tables."
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
  description = "Whether Glue compacts the tables, and removes old snapshots and orphan files."
  default     = true
  nullable    = false
}

variable "scan_limit_gb" {
  type        = number
  description = "Gigabytes that a query may scan. Athena stops a query that scans more."
  default     = 100
  nullable    = false

  validation {
    condition     = var.scan_limit_gb >= 1 && floor(var.scan_limit_gb) == var.scan_limit_gb
    error_message = "scan_limit_gb is a whole number, at least 1."
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
    packages_bucket    = string
    packages_directory = string
    tracing            = bool
  })
  description = "Settings that the functions and applications of an environment share."
  nullable    = false
}
