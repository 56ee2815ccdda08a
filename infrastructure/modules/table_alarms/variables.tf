variable "alerts_topic_arn" {
  type        = string
  description = "SNS topic that alarms report to."
  nullable    = false
}

variable "indexes" {
  type        = map(string)
  description = "Names of the tables' indexes that are watched, keyed by table."
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.indexes), var.tables)) == 0
    error_message = "An index belongs to one of the tables."
  }
}

variable "tables" {
  type        = set(string)
  description = "Names of the tables."
  nullable    = false
}
