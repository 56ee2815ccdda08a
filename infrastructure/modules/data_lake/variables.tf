variable "account_id" {
  type        = string
  description = "Account of the environment. Bucket names are global, so they hold it."
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
  description = "Permissions boundary of the roles. Empty: none."
  default     = ""
  nullable    = false
}

variable "buffering" {
  type        = object({ seconds = number, size_mb = number })
  description = "Age and size at which Firehose writes an object. Larger values make fewer and older objects."
  nullable    = false

  validation {
    condition = (
      var.buffering.seconds >= 0 && var.buffering.seconds <= 900
      && var.buffering.size_mb >= 1 && var.buffering.size_mb <= 128
    )
    error_message = "Firehose buffers for 0 to 900 seconds and 1 to 128 MB."
  }
}

variable "force_destroy" {
  type        = bool
  description = "Whether destroying the environment also destroys the objects of the lake."
  default     = false
  nullable    = false
}

variable "kms_key_arns" {
  type        = object({ events = string, operations = string })
  description = "Keys that encrypt the lake, the deliveries and the logs."
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
  description = "Days until bronze moves to infrequent access, and until overwritten objects and rejected events go."
  nullable    = false

  validation {
    condition     = var.retention.bronze_infrequent_access_days >= 30
    error_message = "S3 moves objects to infrequent access after 30 days at the earliest."
  }

  validation {
    condition     = var.retention.rejected_days >= 31
    error_message = "rejected_days is at least 31: late events are accepted, and rejected events replayed, for 31 days."
  }
}
