variable "account" {
  type        = object({ id = string, partition = string, region = string })
  description = "Account, partition and region of the environment."
  nullable    = false
}

variable "capacity" {
  type        = object({ base_rpu = optional(number, 8), max_rpu = optional(number, 32) })
  description = "RPUs that the workgroup starts with, and its maximum."
  default     = {}
  nullable    = false

  validation {
    condition     = var.capacity.base_rpu >= 8 && var.capacity.base_rpu <= 512 && var.capacity.base_rpu % 8 == 0
    error_message = "The base capacity is 8 to 512 RPUs in steps of 8."
  }

  validation {
    condition     = var.capacity.max_rpu >= var.capacity.base_rpu && var.capacity.max_rpu % 8 == 0
    error_message = "The maximum is at least the base, in steps of 8."
  }
}

variable "enriched_stream" {
  type        = object({ arn = string, name = string })
  description = "Kinesis stream of valid events."
  nullable    = false
}

variable "lake" {
  type = object({
    arn      = string
    database = string
    tables   = object({ gold = set(string), silver = set(string) })
  })
  description = "Bucket and Glue database of the lake, and the tables of gold and silver that the warehouse reads."
  nullable    = false
}

variable "max_query_seconds" {
  type        = number
  description = "Seconds after which a query is stopped."
  default     = 900
  nullable    = false

  validation {
    condition     = var.max_query_seconds >= 60 && var.max_query_seconds <= 86399
    error_message = "A query may run for 60 to 86399 seconds: a refresh must fit."
  }
}

variable "network" {
  type = object({
    cidr_block                = string
    client_security_group_ids = optional(map(string), {})
    s3_prefix_list_id         = string
    subnet_ids                = list(string)
    vpc_id                    = string
  })
  description = "VPC with endpoints of Kinesis, Glue and S3, its private subnets, and security groups that may connect."
  nullable    = false

  validation {
    condition     = length(var.network.subnet_ids) >= 3
    error_message = "Redshift Serverless needs subnets in three zones."
  }
}

variable "refresh" {
  type        = object({ enabled = optional(bool, true), minutes = optional(number, 15) })
  description = "Whether and how often a refresh brings the facts up to date."
  default     = {}
  nullable    = false

  validation {
    condition = (
      var.refresh.minutes >= 5 && var.refresh.minutes <= 1440 && floor(var.refresh.minutes) == var.refresh.minutes
    )
    error_message = "A refresh runs every 5 to 1440 minutes, a whole number."
  }
}

variable "settings" {
  type = object({
    alerts_topic_arn   = string
    boundary_arn       = optional(string, "")
    code_signing_arn   = optional(string, "")
    kms_key_arns       = object({ credentials = string, events = string, operations = string })
    layer_arns         = list(string)
    log_level          = string
    log_retention_days = number
    name_prefix        = string
    packages_bucket    = string
    packages_directory = string
    tracing            = bool
  })
  description = "Settings that the functions of an environment share."
  nullable    = false
}

variable "snapshot_days" {
  type        = number
  description = "Days that a daily snapshot is kept."
  default     = 14
  nullable    = false

  validation {
    condition     = var.snapshot_days >= 1 && var.snapshot_days <= 3653 && floor(var.snapshot_days) == var.snapshot_days
    error_message = "A snapshot is kept for 1 to 3653 days."
  }
}

variable "usage_limit" {
  type        = object({ breach_action = optional(string, "deactivate"), rpu_hours_a_day = optional(number, 300) })
  description = "RPU-hours a day, and the action at the limit: log, emit-metric or deactivate (no query that day)."
  default     = {}
  nullable    = false

  validation {
    condition     = contains(["deactivate", "emit-metric", "log"], var.usage_limit.breach_action)
    error_message = "The action at the limit is one of: deactivate, emit-metric, log."
  }

  validation {
    condition = (
      var.usage_limit.rpu_hours_a_day >= 1
      && floor(var.usage_limit.rpu_hours_a_day) == var.usage_limit.rpu_hours_a_day
    )
    error_message = "The limit is a whole number of RPU-hours."
  }
}
