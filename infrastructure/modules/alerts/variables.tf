variable "account_id" {
  type        = string
  description = "Account whose alarms may publish."
  nullable    = false
}

variable "email_addresses" {
  type        = set(string)
  description = "Addresses that get the alerts by e-mail. Each must confirm once."
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for address in var.email_addresses : can(regex("^[^@[:space:]]+@[^@[:space:]]+$", address))
    ])
    error_message = "Each entry must be an e-mail address."
  }
}

variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts the topic. Its policy must let CloudWatch and EventBridge use it."
  nullable    = false
}

variable "name_prefix" {
  type        = string
  description = "Start of every name: <project>-<environment>."
  nullable    = false
}
