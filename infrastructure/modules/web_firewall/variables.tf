variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts the logs."
  nullable    = false
}

variable "limit_sizes" {
  type        = bool
  description = "Whether long paths, queries and bodies are blocked. Addresses of identity providers have long queries."
  default     = true
  nullable    = false
}

variable "log_blocked" {
  type        = bool
  description = "Whether blocked requests are logged."
  default     = true
  nullable    = false
}

variable "log_retention_days" {
  type        = number
  description = "Days that the log of blocked requests is kept. It holds addresses."
  nullable    = false
}

variable "name" {
  type        = string
  description = "What the web ACL protects, as the end of its name."
  nullable    = false
}

variable "name_prefix" {
  type        = string
  description = "Start of every name: <project>-<environment>."
  nullable    = false
}

variable "requests_per_minute" {
  type        = number
  description = "Requests that an address may send in a minute. Players may share an address."
  nullable    = false

  validation {
    condition     = var.requests_per_minute >= 10 && var.requests_per_minute <= 2000000000
    error_message = "WAF limits an address to 10 requests or more."
  }
}
