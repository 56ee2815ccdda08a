variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts the records at rest."
  nullable    = false
}

variable "name_prefix" {
  type        = string
  description = "Start of every name: <project>-<environment>."
  nullable    = false
}

variable "retention_hours" {
  type        = number
  description = "Hours a record can be read again: the time to repair a consumer without losing events."
  default     = 48
  nullable    = false

  validation {
    condition     = var.retention_hours >= 24 && var.retention_hours <= 8760
    error_message = "Kinesis keeps records between 24 and 8760 hours."
  }
}

variable "shard_counts" {
  type        = object({ enriched = optional(number), raw = optional(number) })
  description = <<-TEXT
    Provisioned shards of each stream. A shard takes 1 MB or 1,000 records a second. Left out: the stream scales on
    demand.
  TEXT
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for count in values(var.shard_counts) : count == null ? true : count >= 1 && floor(count) == count
    ])
    error_message = "A provisioned stream needs a whole number of shards, at least one."
  }
}
