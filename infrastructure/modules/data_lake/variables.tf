variable "account_id" {
  type        = string
  description = "Account that owns the bucket: bucket names are global."
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account id has 12 digits."
  }
}

variable "alerts_topic_arn" {
  type        = string
  description = "SNS topic that alarms report to."
  nullable    = false
}

variable "boundary_arn" {
  type        = string
  description = "Policy that bounds what the roles may do, whatever their own grants. Empty: none."
  default     = ""
  nullable    = false
}

variable "buffering" {
  type        = object({ seconds = number, size_mb = number })
  description = "Firehose writes an object when either is reached: fewer objects, or fresher ones."
  nullable    = false

  validation {
    condition     = var.buffering.seconds >= 0 && var.buffering.seconds <= 900 && var.buffering.size_mb >= 1 && var.buffering.size_mb <= 128
    error_message = "Firehose buffers for 0 to 900 seconds and 1 to 128 MB."
  }
}

variable "force_destroy" {
  type        = bool
  description = "Whether destroying the environment destroys what is in the lake."
  default     = false
  nullable    = false
}

variable "kms_key_arns" {
  type        = object({ events = string, operations = string })
  description = "Keys that encrypt the lake with what is on its way, and the logs."
  nullable    = false
}

variable "log_retention_days" {
  type        = number
  description = "Days the delivery logs are kept."
  nullable    = false
}

variable "name_prefix" {
  type        = string
  description = "Start of every name: <project>-<environment>."
  nullable    = false
}

variable "retention" {
  type        = object({ bronze_infrequent_access_days = number, noncurrent_days = number, rejected_days = number })
  description = "Days until bronze moves to infrequent access, overwritten objects go, and rejected events go."
  nullable    = false

  validation {
    condition     = var.retention.bronze_infrequent_access_days >= 30
    error_message = "S3 moves objects to infrequent access after 30 days at the earliest."
  }

  validation {
    condition     = var.retention.rejected_days >= 31
    error_message = "Events are accepted up to 31 days late: rejected ones must be replayable as long."
  }
}
