variable "alerts_topic_arn" {
  type        = string
  description = "SNS topic that alarms report to."
  nullable    = false
}

variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts the table."
  nullable    = false
}

variable "name_prefix" {
  type        = string
  description = "Start of every name: <project>-<environment>."
  nullable    = false
}

variable "protection" {
  type        = object({ deletion = bool, point_in_time_recovery = bool })
  description = "Whether the table refuses deletion, and whether it can be restored to any second of the last 35 days."
  nullable    = false
}
