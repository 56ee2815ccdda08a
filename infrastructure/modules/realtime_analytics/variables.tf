variable "account" {
  type        = object({ id = string, partition = string, region = string })
  description = "Account, partition and region of the environment."
  nullable    = false
}

variable "alert_thresholds" {
  type = object({
    baseline_minutes          = optional(number, 30)
    crash_minimum             = optional(number, 10)
    crash_spike_factor        = optional(number, 3)
    economy_inflation_ratio   = optional(number, 3)
    economy_minimum           = optional(number, 1000)
    players_drop_percent      = optional(number, 50)
    players_minimum           = optional(number, 20)
    revenue_minimum_purchases = optional(number, 40)
    window_minutes            = optional(number, 5)
  })
  description = "When a game's last minutes (window) differ too much from those before (baseline, which holds both), and how much it takes to tell."
  default     = {}
  nullable    = false

  validation {
    condition     = var.alert_thresholds.window_minutes >= 1 && var.alert_thresholds.baseline_minutes > var.alert_thresholds.window_minutes
    error_message = "The baseline holds the window and minutes to compare it with."
  }

  validation {
    condition     = var.alert_thresholds.players_drop_percent > 0 && var.alert_thresholds.players_drop_percent < 100
    error_message = "Players drop by more than 0 and less than 100 percent."
  }

  validation {
    condition     = var.alert_thresholds.crash_spike_factor > 1 && var.alert_thresholds.economy_inflation_ratio > 1
    error_message = "A factor of at most 1 would alert on what is usual."
  }

  validation {
    condition = alltrue([
      for name in ["baseline_minutes", "crash_minimum", "economy_minimum", "players_minimum", "revenue_minimum_purchases", "window_minutes"] :
      var.alert_thresholds[name] >= 1 && floor(var.alert_thresholds[name]) == var.alert_thresholds[name]
    ])
    error_message = "Minutes and minimums are whole numbers, at least 1."
  }
}

variable "application" {
  type = object({
    initial_position    = optional(string, "LATEST")
    parallelism         = optional(number, 1)
    parallelism_per_kpu = optional(number, 1)
    start               = optional(bool, true)
  })
  description = "Where the first start begins to read, the parallelism that autoscaling starts from, how much of it a processing unit bears, and whether apply starts it."
  default     = {}
  nullable    = false

  validation {
    condition     = contains(["LATEST", "TRIM_HORIZON"], var.application.initial_position)
    error_message = "The first start begins at LATEST or at TRIM_HORIZON."
  }

  validation {
    condition     = alltrue([for value in [var.application.parallelism, var.application.parallelism_per_kpu] : value >= 1 && floor(value) == value])
    error_message = "Parallelism is a whole number, at least 1."
  }

  validation {
    condition     = var.application.parallelism_per_kpu <= 8
    error_message = "A processing unit bears a parallelism of at most 8."
  }
}

variable "code_bucket" {
  type        = object({ arn = string, name = string })
  description = "Versioned bucket that takes the package, below artifacts/."
  nullable    = false
}

variable "deliver_alerts" {
  type        = bool
  description = "Whether a pipe takes the alerts of the metrics stream to the event bus."
  default     = true
  nullable    = false
}

variable "enriched_stream_arn" {
  type        = string
  description = "Stream of valid events that the application reads."
  nullable    = false
}

variable "metrics_stream" {
  type        = object({ retention_hours = optional(number, 24), shards = optional(number, 1) })
  description = "Hours the metrics can be read again, and shards of their stream: one takes 1,000 windows a second."
  default     = {}
  nullable    = false

  validation {
    condition     = var.metrics_stream.retention_hours >= 24 && var.metrics_stream.retention_hours <= 8760
    error_message = "Kinesis keeps records between 24 and 8760 hours."
  }

  validation {
    condition     = var.metrics_stream.shards >= 1 && floor(var.metrics_stream.shards) == var.metrics_stream.shards
    error_message = "A provisioned stream needs a whole number of shards, at least one."
  }
}

variable "protection" {
  type        = object({ deletion = bool, point_in_time_recovery = bool })
  description = "Whether the table refuses deletion, and whether any second of the last 35 days can be restored."
  nullable    = false
}

variable "retention_hours" {
  type        = number
  description = "Hours a window is kept in the table."
  default     = 48
  nullable    = false

  validation {
    condition     = var.retention_hours >= 1 && floor(var.retention_hours) == var.retention_hours
    error_message = "Windows are kept for whole hours, at least one."
  }
}

variable "settings" {
  type = object({
    alerts_topic_arn   = string
    boundary_arn       = optional(string, "")
    code_signing_arn   = optional(string, "")
    kms_key_arns       = object({ events = string, operations = string })
    layer_arns         = list(string)
    log_level          = string
    log_retention_days = number
    name_prefix        = string
    packages_directory = string
    tracing            = bool
  })
  description = "What the functions and applications of an environment share."
  nullable    = false
}

variable "vpc" {
  type        = object({ security_group_ids = optional(set(string), []), subnet_ids = optional(set(string), []) })
  description = "Network the application runs in; empty: none of its own. One needs ways to Kinesis, S3, CloudWatch and KMS."
  default     = {}
  nullable    = false

  validation {
    condition     = (length(var.vpc.subnet_ids) == 0) == (length(var.vpc.security_group_ids) == 0)
    error_message = "A network is subnets and security groups, or neither."
  }
}

variable "windows" {
  type = object({
    allowed_lateness_seconds = optional(number, 60)
    idle_timeout_seconds     = optional(number, 30)
  })
  description = "Seconds a window waits for late events and for a silent shard."
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for value in values(var.windows) : value >= 1 && floor(value) == value])
    error_message = "Seconds are whole numbers, at least 1."
  }
}
