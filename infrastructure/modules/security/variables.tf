variable "account" {
  type        = object({ id = string, partition = string, region = string })
  description = "Account, partition and region of the environment."
  nullable    = false
}

variable "deletion_window_days" {
  type        = number
  description = "Days in which a deleted key can be restored."
  default     = 30
  nullable    = false

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "KMS keeps a deleted key between 7 and 30 days."
  }
}

variable "name_prefix" {
  type        = string
  description = "Start of every name: <project>-<environment>."
  nullable    = false
}
