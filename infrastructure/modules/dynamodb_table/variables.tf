variable "alerts_topic_arn" {
  type        = string
  description = "SNS topic that alarms report to."
  nullable    = false
}

variable "expires" {
  type        = bool
  description = "Whether DynamoDB deletes an item after the time in its attribute expires_at (seconds since 1970)."
  default     = false
  nullable    = false
}

variable "hash_key" {
  type        = string
  description = "Attribute that is the partition key: a string."
  nullable    = false
}

variable "indexes" {
  type        = map(object({ hash_key = string, range_key = string }))
  description = "Global secondary indexes by name. They hold keys only, and their keys are strings."
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for index in var.indexes : index.hash_key != index.range_key])
    error_message = "The keys of an index are two different attributes."
  }
}

variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts the table."
  nullable    = false
}

variable "name" {
  type        = string
  description = "Name of the table, with the prefix of the environment."
  nullable    = false
}

variable "protection" {
  type        = object({ deletion = bool, point_in_time_recovery = bool })
  description = "Whether the table refuses deletion, and whether it can be restored to any second of the last 35 days."
  nullable    = false
}

variable "range_key" {
  type        = string
  description = "Attribute that is the sort key: a string. Empty: the partition key alone identifies an item."
  default     = ""
  nullable    = false
}
