variable "account_id" {
  type        = string
  description = "Account whose alarms may publish."
  nullable    = false
}

variable "email_addresses" {
  type        = set(string)
  description = "Who gets the alerts by e-mail; each must confirm once."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.email_addresses : can(regex("^[^@[:space:]]+@[^@[:space:]]+$", address))])
    error_message = "Alerts go to e-mail addresses."
  }
}

variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts the topic; its policy lets CloudWatch and EventBridge use it."
  nullable    = false
}

variable "name_prefix" {
  type        = string
  description = "Start of every name: <project>-<environment>."
  nullable    = false
}
