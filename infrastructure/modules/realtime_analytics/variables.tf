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
  description = <<-TEXT
    When an alert is raised: the last minutes (window_minutes) are compared with the minutes before them;
    baseline_minutes spans both. Minimums keep small numbers from raising alerts.
  TEXT
  default     = {}
  nullable    = false

  validation {
    condition = (
      var.alert_thresholds.window_minutes >= 1
      && var.alert_thresholds.baseline_minutes > var.alert_thresholds.window_minutes
    )
    error_message = "baseline_minutes must be more than window_minutes, which is at least 1."
  }

  validation {
    condition     = var.alert_thresholds.players_drop_percent > 0 && var.alert_thresholds.players_drop_percent < 100
    error_message = "players_drop_percent is between 0 and 100."
  }

  validation {
    condition     = var.alert_thresholds.crash_spike_factor > 1 && var.alert_thresholds.economy_inflation_ratio > 1
    error_message = "Factors and ratios must be more than 1: others would alert on usual values."
  }

  validation {
    condition = alltrue([
      for name in [
        "baseline_minutes", "crash_minimum", "economy_minimum", "players_minimum", "revenue_minimum_purchases",
        "window_minutes",
      ] :
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
  description = <<-TEXT
    Where the first start begins to read, the parallelism that autoscaling starts from, the parallelism of one Kinesis
    processing unit, and whether apply starts the application.
  TEXT
  default     = {}
  nullable    = false

  validation {
    condition     = contains(["LATEST", "TRIM_HORIZON"], var.application.initial_position)
    error_message = "The first start begins at LATEST or at TRIM_HORIZON."
  }

  validation {
    condition = alltrue([
      for value in [var.application.parallelism, var.application.parallelism_per_kpu] :
      value >= 1 && floor(value) == value
    ])
    error_message = "Parallelism is a whole number, at least 1."
  }

  validation {
    condition     = var.application.parallelism_per_kpu <= 8
    error_message = "parallelism_per_kpu is at most 8."
  }
}

variable "code_bucket" {
  type        = object({ arn = string, name = string })
  description = "Versioned bucket that takes the package, below artifacts/."
  nullable    = false
}

variable "deliver_alerts" {
  type        = bool
  description = "Whether alerts of the metrics stream go to the event bus, whose rule publishes them to the topic."
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
  description = "Hours that metrics can be read again, and shards of their stream (1,000 windows a second each)."
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

variable "name_limits" {
  type        = object({ items = optional(number, 50), versions = optional(number, 20) })
  description = <<-TEXT
    Most names that a minute of a game has, those with the most events: `items` of virtual currencies, of design events
    and of modes of matches each, and app versions. The rest counts as `other`. Each version costs rows of every window,
    each item a measure of every row.
  TEXT
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for limit in values(var.name_limits) : limit >= 1 && floor(limit) == limit
    ])
    error_message = "Each limit is a whole number, at least 1."
  }

  validation {
    condition     = var.name_limits.items <= 100
    error_message = "A minute names at most 100 items of a kind: DynamoDB holds five minutes of them in 400 KB."
  }

  validation {
    condition     = var.name_limits.versions <= 100
    error_message = "A minute names at most 100 versions: each is up to 66 rows a minute."
  }
}

variable "page_url" {
  type        = string
  description = "Address of the page, which messages of alerts link to. Empty: they name the path alone."
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(https?://[A-Za-z0-9.:-]+/?)?$", var.page_url))
    error_message = "page_url is an address such as https://metrics.example.com, without a path."
  }
}

variable "protection" {
  type        = object({ deletion = bool, point_in_time_recovery = bool })
  description = "Whether the table refuses deletion, and whether it can be restored to any second of the last 35 days."
  nullable    = false
}

variable "retention_hours" {
  type        = number
  description = "Hours that a window is kept in the table."
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
    packages_bucket    = string
    packages_directory = string
    tracing            = bool
  })
  description = "Settings that the functions and applications of an environment share."
  nullable    = false
}

variable "vpc" {
  type        = object({ security_group_ids = optional(set(string), []), subnet_ids = optional(set(string), []) })
  description = <<-TEXT
    Network that the application runs in (empty: none of its own). It needs routes to Kinesis, S3, CloudWatch and KMS.
  TEXT
  default     = {}
  nullable    = false

  validation {
    condition     = (length(var.vpc.subnet_ids) == 0) == (length(var.vpc.security_group_ids) == 0)
    error_message = "Set both subnets and security groups, or neither."
  }
}

variable "windows" {
  type = object({
    allowed_lateness_seconds = optional(number, 60)
    idle_timeout_seconds     = optional(number, 30)
  })
  description = "Seconds that a window waits for late events, and for a shard without events."
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for value in values(var.windows) : value >= 1 && floor(value) == value])
    error_message = "Seconds are whole numbers, at least 1."
  }

  # The connector assigns shards at its first discovery after all tasks are up: five to ten seconds after the start.
  validation {
    condition     = var.windows.idle_timeout_seconds >= 20
    error_message = <<-TEXT
      idle_timeout_seconds is at least 20: a start needs up to ten seconds before it reads its first shard. With less,
      all shards count as idle by then, the clock closes their windows, and the whole backlog is dropped.
    TEXT
  }
}
