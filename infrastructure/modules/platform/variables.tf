variable "alerts" {
  type = object({
    budget_usd_a_month = optional(number, 0)
    email_addresses    = optional(set(string), [])
    objectives         = optional(object({ availability = optional(number), completeness = optional(number), latency = optional(number) }), {})
    reject_rate        = optional(object({ percent = number, periods = number }), { percent = 5, periods = 2 })
  })
  description = "The month's budget (0: none), who gets alerts by e-mail, what share must succeed (docs/slo.md), and when a game's rejected events are alarming (percent, periods of 5 minutes)."
  default     = {}
  nullable    = false

  validation {
    condition = anytrue([
      !var.lake.warehouse.enabled,
      var.alerts.budget_usd_a_month == 0,
      var.alerts.budget_usd_a_month > local.warehouse_usd_a_month,
    ])
    error_message = <<-TEXT
      The warehouse alone costs about ${ceil(local.warehouse_usd_a_month)} US dollars a month: its streaming view keeps
      the base capacity awake (docs/cost.md). Set a budget above that, or 0 for none.
    TEXT
  }
}

variable "dedupe_window_hours" {
  type        = number
  description = "Hours in which a repeated event_id is a duplicate; 0: none is looked for, repetitions reach bronze and player state (docs/cost.md)."
  default     = 48
  nullable    = false

  validation {
    condition     = var.dedupe_window_hours == 0 || var.dedupe_window_hours >= var.streams.retention_hours
    error_message = "A stream read again from its start must not pass the window: it cannot be shorter than the streams' retention."
  }
}

variable "environment" {
  type        = string
  description = "Name of the environment, second part of every name."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,9}$", var.environment))
    error_message = "An environment's name has 2 to 10 lower-case letters and digits."
  }
}

variable "ingest" {
  type = object({
    log_blocked                     = optional(bool, true)
    requests_per_minute_and_address = optional(number, 3000)
    sizing                          = optional(object({ memory_mb = number, reserved_concurrency = optional(number, -1), timeout_seconds = number }), { memory_mb = 1024, timeout_seconds = 15 })
    throttling                      = optional(object({ burst = number, rate = number }), { burst = 2000, rate = 1000 })
    usage_plan                      = optional(object({ burst = number, enforced = optional(bool, true), rate = number, requests_a_day = number }), { burst = 1000, rate = 500, requests_a_day = 20000000 })
  })
  description = "What the ingest function may use; requests per minute of an address, per second of the REST API, and of each game; whether blocked requests are logged."
  default     = {}
  nullable    = false
}

variable "lake" {
  type = object({
    batch = optional(object({
      enabled  = optional(bool, true)
      job      = optional(object({ maximum_executors = optional(number), timeout_minutes = optional(number) }), {})
      schedule = optional(object({ delay_hours = optional(number), enabled = optional(bool), every_hours = optional(number, 24), minute = optional(number) }), {})
    }), {})
    buffering = optional(object({ seconds = number, size_mb = number }), { seconds = 300, size_mb = 64 })
    dashboards = optional(object({
      defaults        = optional(object({ currency = optional(string), days = optional(number), game = optional(string) }))
      enabled         = optional(bool, false)
      groups          = optional(map(object({ games = set(string), role = string })))
      identity_region = optional(string, "")
      refresh         = optional(object({ full_day = optional(string), full_time = optional(string), interval = optional(string) }))
      warehouse = optional(object({
        credentials_secret_arn = string
        database               = string
        host                   = string
        port                   = optional(number)
        security_group_ids     = set(string)
        subnet_ids             = set(string)
      }))
    }), {})
    optimize      = optional(bool)
    retention     = optional(object({ bronze_infrequent_access_days = number, noncurrent_days = number, rejected_days = number }), { bronze_infrequent_access_days = 90, noncurrent_days = 30, rejected_days = 90 })
    scan_limit_gb = optional(number)
    warehouse = optional(object({
      availability_zones        = optional(set(string), [])
      capacity                  = optional(object({ base_rpu = optional(number), max_rpu = optional(number) }))
      client_security_group_ids = optional(map(string), {})
      enabled                   = optional(bool, false)
      max_query_seconds         = optional(number)
      refresh                   = optional(object({ enabled = optional(bool), minutes = optional(number) }))
      snapshot_days             = optional(number)
      usage_limit               = optional(object({ breach_action = optional(string), rpu_hours_a_day = optional(number) }))
    }), {})
  })
  description = "The batch run and how many hours it takes at once, the warehouse on Redshift with a network of its own in the region's zones, and the dashboards in QuickSight, which want a subscription, if any; size and age of objects when written, and when they move and go; whether Glue tends the tables, and the most a query may scan."
  default     = {}
  nullable    = false

  validation {
    condition = (
      !var.lake.dashboards.enabled || can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.lake.dashboards.identity_region))
    )
    error_message = <<-TEXT
      The dashboards need an Enterprise subscription of QuickSight, which is made by hand, once an account. Then name
      the region that it was made in as identity_region: it keeps the users and groups.
      `aws quicksight describe-account-subscription --aws-account-id <account>` tells the edition.
    TEXT
  }
}

variable "logging" {
  type        = object({ level = string, retention_days = number, tracing = optional(bool, false) })
  description = "Level of the functions' logs, days that logs are kept, and whether requests of the REST door (one in a hundred) and batch runs are traced with X-Ray."
  default     = { level = "INFO", retention_days = 30 }
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.logging.retention_days)
    error_message = "CloudWatch Logs keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 or more days, in its own steps."
  }
}

variable "metrics_api" {
  type = object({
    sizing     = object({ memory_mb = number, reserved_concurrency = optional(number, -1), timeout_seconds = number })
    throttling = object({ burst = number, rate = number })
  })
  description = "What the metrics function may use, and requests per second of the HTTP API."
  default = {
    sizing     = { memory_mb = 1024, timeout_seconds = 15 }
    throttling = { burst = 100, rate = 50 }
  }
  nullable = false
}

variable "name_limits" {
  type = object({
    devices  = optional(number, 50)
    flows    = optional(number, 200)
    levels   = optional(number, 200)
    versions = optional(number, 50)
  })
  description = "How many names that clients choose a game may have a day; further ones are counted as `other`."
  default     = {}
  nullable    = false
}

variable "packages_directory" {
  type        = string
  description = "Directory of the packages that `make build` writes."
  nullable    = false
}

variable "player_state" {
  type        = object({ batch_size = number, batch_window_seconds = number, memory_mb = number, timeout_seconds = number })
  description = "Batches of the enriched stream, and what their invocation may use."
  default     = { batch_size = 2000, batch_window_seconds = 1, memory_mb = 1769, timeout_seconds = 120 }
  nullable    = false
}

variable "processor" {
  type        = object({ batch_size = number, batch_window_seconds = number, memory_mb = number, timeout_seconds = number })
  description = "Batches of the raw stream, and what their invocation may use."
  default     = { batch_size = 2000, batch_window_seconds = 1, memory_mb = 1769, timeout_seconds = 120 }
  nullable    = false
}

variable "project" {
  type        = string
  description = "First part of every name."
  default     = "player-analytics"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.project))
    error_message = "A project's name has 3 to 24 lower-case letters, digits and hyphens: it must fit a bucket's name."
  }
}

variable "protection" {
  type = object({
    code_signing_arn         = optional(string, "")
    deletion                 = bool
    key_deletion_window_days = number
    permissions_boundary     = optional(string, "")
    point_in_time_recovery   = bool
  })
  description = "Configuration that functions' packages must be signed by (empty: none), whether tables and lake refuse deletion, days to restore a deleted key, name of the policy that bounds every role (empty: none), and whether tables can be restored to any second of 35 days."
  nullable    = false

  validation {
    condition     = var.environment != "prod" || (var.protection.deletion && var.protection.point_in_time_recovery)
    error_message = "prod must refuse deletion and allow recovery."
  }
}

variable "realtime_analytics" {
  type = object({
    alert_thresholds = optional(object({
      baseline_minutes          = optional(number)
      crash_minimum             = optional(number)
      crash_spike_factor        = optional(number)
      economy_inflation_ratio   = optional(number)
      economy_minimum           = optional(number)
      players_drop_percent      = optional(number)
      players_minimum           = optional(number)
      revenue_minimum_purchases = optional(number)
      window_minutes            = optional(number)
    }), {})
    application = optional(object({
      initial_position    = optional(string)
      parallelism         = optional(number)
      parallelism_per_kpu = optional(number)
      start               = optional(bool)
    }), {})
    deliver_alerts  = optional(bool)
    retention_hours = optional(number)
    vpc             = optional(object({ security_group_ids = optional(set(string)), subnet_ids = optional(set(string)) }), {})
    windows = optional(object({
      allowed_lateness_seconds = optional(number)
      idle_timeout_seconds     = optional(number)
    }), {})
  })
  description = "What differs from the defaults of realtime_analytics: thresholds of alerts, size and start of the application, its network, its windows."
  default     = {}
  nullable    = false
}

variable "reports" {
  type        = object({ enabled = optional(bool, true), sender = optional(string, "") })
  description = "Whether reports, checks of data quality, advice and forgetting again run by schedule, and the address reports are mailed from (left out: no mail)."
  default     = {}
  nullable    = false
}

variable "streams" {
  type = object({
    enriched_shards = optional(number)
    maximum_shards  = optional(number)
    metrics_shards  = optional(number)
    raw_shards      = optional(number)
    retention_hours = optional(number, 48)
  })
  description = "Provisioned shards of the streams (left out: on demand), up to how many raw and enriched grow with their load (left out: they keep what they began with), and hours that their records can be read again."
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for shards in [var.streams.enriched_shards, var.streams.raw_shards] : try(var.streams.maximum_shards >= shards, true)])
    error_message = "maximum_shards is no fewer than a stream begins with."
  }
}
