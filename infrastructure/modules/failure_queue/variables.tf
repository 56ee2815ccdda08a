variable "alerts_topic_arn" {
  type        = string
  description = "SNS topic that the alarm reports to."
  nullable    = false
}

variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts the messages."
  nullable    = false
}

variable "name" {
  type        = string
  description = "Start of the names of the queue and its alarm."
  nullable    = false
}

variable "runbook" {
  type        = string
  description = "Runbook for failed invocations: a file of docs/runbooks/."
  nullable    = false

  validation {
    condition     = startswith(var.runbook, "docs/runbooks/")
    error_message = "The runbook is a file of docs/runbooks/."
  }
}
