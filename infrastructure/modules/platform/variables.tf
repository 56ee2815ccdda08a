variable "alerts" {
  type = object({
    budget_usd_a_month = optional(number, 0)
    email_addresses    = optional(set(string), [])
    reject_rate        = optional(object({ percent = number, periods = number }), { percent = 5, periods = 2 })

    objectives = optional(object({
      availability = optional(number)
      completeness = optional(number)
      latency      = optional(number)
    }), {})
  })
  description = <<-TEXT
    Monthly budget (0: none), addresses that get alerts, objectives (docs/slo.md), and the share of a game's events
    whose rejection is an alarm (percent, for a number of periods of 5 minutes).
  TEXT
  default     = {}
  nullable    = false

  validation {
    condition = anytrue([
      !var.warehouse.enabled,
      var.alerts.budget_usd_a_month == 0,
      var.alerts.budget_usd_a_month > local.warehouse_usd_a_month,
    ])
    error_message = <<-TEXT
      The warehouse alone costs about ${ceil(local.warehouse_usd_a_month)} US dollars a month: its streaming view keeps
      the base capacity awake (docs/cost.md). Set a budget above that, or 0 for none.
    TEXT
  }
}

variable "batch_analytics" {
  type = object({
    enabled = optional(bool, true)
    job     = optional(object({ maximum_executors = optional(number), timeout_minutes = optional(number) }), {})

    schedule = optional(object({
      delay_hours = optional(number)
      enabled     = optional(bool)
      every_hours = optional(number, 24)
      minute      = optional(number)
    }), {})
  })
  description = "Batch runs on EMR Serverless: whether there are any, the size of their job, and when they run."
  default     = {}
  nullable    = false
}

variable "dedupe_window_hours" {
  type        = number
  description = "Hours in which a repeated event_id is a duplicate. 0 keeps duplicates (docs/cost.md)."
  default     = 48
  nullable    = false

  validation {
    condition     = var.dedupe_window_hours == 0 || var.dedupe_window_hours >= var.streams.retention_hours
    error_message = "A stream can be read again from its start: the window must last as long as its retention."
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
    throttling                      = optional(object({ burst = number, rate = number }), { burst = 2000, rate = 1000 })

    quota = optional(object({ events_a_day = number, events_a_minute = number }), {
      events_a_day = 20000000, events_a_minute = 200000
    })

    sizing = optional(object({
      memory_mb            = number
      reserved_concurrency = optional(number, -1)
      timeout_seconds      = number
    }), { memory_mb = 1024, timeout_seconds = 15 })

    usage_plan = optional(object({
      burst          = number
      enforced       = optional(bool, true)
      rate           = number
      requests_a_day = number

      unproven = optional(object({ burst = number, rate = number, requests_a_day = number }), {
        burst = 20, rate = 10, requests_a_day = 20000
      })
    }), { burst = 1000, rate = 500, requests_a_day = 5000000 })
  })
  description = <<-TEXT
    REST API: size of its function, requests per second of all games (throttling) and of each game (usage_plan),
    events of each game (quota), requests per minute of an address, and whether blocked requests are logged.
  TEXT
  default     = {}
  nullable    = false
}

variable "lake" {
  type = object({
    buffering     = optional(object({ seconds = number, size_mb = number }), { seconds = 300, size_mb = 64 })
    optimize      = optional(bool)
    scan_limit_gb = optional(number)

    retention = optional(object({
      bronze_infrequent_access_days = number
      noncurrent_days               = number
      rejected_days                 = number
    }), { bronze_infrequent_access_days = 90, noncurrent_days = 30, rejected_days = 90 })
  })
  description = <<-TEXT
    Data lake: age and size at which Firehose writes an object, days until objects move or are deleted, whether Glue
    optimizes the Iceberg tables, and the most gigabytes that one query may scan.
  TEXT
  default     = {}
  nullable    = false
}

variable "leaderboards" {
  type = object({
    batch_size           = number
    batch_window_seconds = number
    memory_mb            = number
    timeout_seconds      = number
  })
  description = "Scores and seconds of the enriched stream that one invocation takes, its memory and its time limit."
  default     = { batch_size = 2000, batch_window_seconds = 1, memory_mb = 1769, timeout_seconds = 120 }
  nullable    = false
}

variable "logging" {
  type        = object({ level = string, retention_days = number, tracing = optional(bool, false) })
  description = <<-TEXT
    Log level of the functions, days that logs are kept, and whether X-Ray traces batch runs and one in a hundred
    requests of the REST API.
  TEXT
  default     = { level = "INFO", retention_days = 30 }
  nullable    = false

  validation {
    condition = contains([
      1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
    ], var.logging.retention_days)
    error_message = <<-TEXT
      CloudWatch Logs keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192,
      2557, 2922, 3288 or 3653 days.
    TEXT
  }
}

variable "metrics_api" {
  type = object({
    scan_limit_gb = optional(number, 10)
    throttling    = object({ burst = number, rate = number })

    sizing = object({
      memory_mb            = number
      reserved_concurrency = optional(number, -1)
      timeout_seconds      = number
    })
  })
  description = <<-EOT
    HTTP API of the metrics: size of its function, requests per second, and the most gigabytes that one query of the
    lake may scan.
  EOT
  default = {
    sizing     = { memory_mb = 1024, timeout_seconds = 15 }
    throttling = { burst = 100, rate = 50 }
  }
  nullable = false
}

variable "name_limits" {
  type = object({
    ads        = optional(number, 100)
    boards     = optional(number, 100)
    designs    = optional(number, 200)
    devices    = optional(number, 50)
    flows      = optional(number, 200)
    late_names = optional(number, 5)
    levels     = optional(number, 200)
    versions   = optional(number, 50)
  })
  description = <<-EOT
    Most names that clients choose, by game and day (`boards`: all days). Further names count as `other`.
    An event that arrives over two days late brings a new name while its day has fewer than `late_names`.
  EOT
  default     = {}
  nullable    = false
}

variable "packages_directory" {
  type        = string
  description = "Directory of the packages that `make build` writes."
  nullable    = false
}

variable "player_state" {
  type = object({
    batch_size           = number
    batch_window_seconds = number
    memory_mb            = number
    timeout_seconds      = number
  })
  description = "Records and seconds of the enriched stream that one invocation takes, its memory and its time limit."
  default     = { batch_size = 2000, batch_window_seconds = 1, memory_mb = 1769, timeout_seconds = 120 }
  nullable    = false
}

variable "processor" {
  type = object({
    batch_size           = number
    batch_window_seconds = number
    memory_mb            = number
    timeout_seconds      = number
  })
  description = "Records and seconds of the raw stream that one invocation takes, its memory and its time limit."
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
    error_message = "A project's name has 3 to 24 lower-case letters, digits and hyphens: buckets are named by it."
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
  description = <<-TEXT
    Code signing configuration of the functions' packages (empty: none), whether tables and lake refuse deletion, days
    in which a deleted key can be restored, name of the policy that bounds every role (empty: none), and whether
    tables can be restored to any second of the last 35 days.
  TEXT
  nullable    = false

  validation {
    condition     = var.environment != "prod" || (var.protection.deletion && var.protection.point_in_time_recovery)
    error_message = "prod must refuse deletion and allow recovery."
  }
}

variable "quicksight" {
  type = object({
    enabled         = optional(bool, false)
    groups          = optional(map(object({ games = set(string), role = string })))
    identity_region = optional(string, "")

    defaults = optional(object({
      currency = optional(string)
      days     = optional(number)
      game     = optional(string)
    }))

    refresh = optional(object({
      full_day  = optional(string)
      full_time = optional(string)
      interval  = optional(string)
    }))

    warehouse = optional(object({
      credentials_secret_arn = string
      database               = string
      host                   = string
      port                   = optional(number)
      security_group_ids     = set(string)
      subnet_ids             = set(string)
    }))
  })
  description = <<-TEXT
    QuickSight dashboards: whether there are any, the games that each group of users sees, what a dashboard shows at
    first, when the data is refreshed, and a warehouse to read beside the lake.
  TEXT
  default     = {}
  nullable    = false

  validation {
    condition     = !var.quicksight.enabled || can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.quicksight.identity_region))
    error_message = <<-TEXT
      QuickSight needs an Enterprise subscription, which somebody makes by hand once an account. Set identity_region
      to the region of that subscription: it holds the users and groups. `aws quicksight describe-account-subscription
      --aws-account-id <account>` prints the edition.
    TEXT
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
    name_limits     = optional(object({ items = optional(number), versions = optional(number) }), {})
    page_url        = optional(string)
    retention_hours = optional(number)

    vpc = optional(object({
      security_group_ids = optional(set(string))
      subnet_ids         = optional(set(string))
    }), {})

    windows = optional(object({
      allowed_lateness_seconds = optional(number)
      idle_timeout_seconds     = optional(number)
    }), {})
  })
  description = <<-TEXT
    Flink application: its size, start and network, how many names that clients choose a minute has, and how long
    windows wait and are kept. Alerts: their thresholds, whether they go to the event bus, and the address of the page
    that their messages link to. The defaults are those of the module realtime_analytics.
  TEXT
  default     = {}
  nullable    = false
}

variable "report_sender" {
  type        = string
  description = "Address that reports are mailed from, which SES has verified (docs/first-day.md). Empty: no mail."
  default     = ""
  nullable    = false
}

variable "schedules" {
  type = object({
    advice  = optional(bool, true)
    erasure = optional(bool, true)
    quality = optional(bool, true)
    reports = optional(bool, true)
  })
  description = <<-TEXT
    Which scheduled functions run: weekly advice on sizes, nightly erasure of late data of erased players, hourly
    checks of data quality, daily and weekly reports. Each is switched by itself.
  TEXT
  default     = {}
  nullable    = false
}

variable "sign_in" {
  type = object({
    enabled       = optional(bool, false)
    firewall      = optional(bool, true)
    managed_login = optional(bool)
    mfa           = optional(string)

    session = optional(object({
      hours         = optional(number)
      renew_once    = optional(bool)
      token_minutes = optional(number)
    }))

    identity_providers = optional(map(object({
      client_id       = optional(string)
      client_secret   = optional(string)
      email_attribute = optional(string)
      issuer_url      = optional(string)
      metadata_url    = optional(string)
    })))
  })
  description = <<-TEXT
    Sign-in of people to the pages: whether there is one, a web ACL in front of it, its look, second factor and
    lifetimes, and the studio's identity providers (docs/people.md).
  TEXT
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
  description = <<-TEXT
    Provisioned shards of each stream (left out: on demand, one shard for metrics), the most shards that raw and
    enriched may grow to (left out: they do not grow), and hours that records can be read again.
  TEXT
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for shards in [var.streams.enriched_shards, var.streams.raw_shards] :
      try(var.streams.maximum_shards >= shards, true)
    ])
    error_message = "maximum_shards cannot be less than the shards that a stream starts with."
  }
}

variable "warehouse" {
  type = object({
    availability_zones        = optional(set(string), [])
    capacity                  = optional(object({ base_rpu = optional(number), max_rpu = optional(number) }))
    client_security_group_ids = optional(map(string), {})
    enabled                   = optional(bool, false)
    max_query_seconds         = optional(number)
    refresh                   = optional(object({ enabled = optional(bool), minutes = optional(number) }))
    snapshot_days             = optional(number)

    usage_limit = optional(object({
      breach_action   = optional(string)
      rpu_hours_a_day = optional(number)
    }))
  })
  description = <<-TEXT
    Warehouse on Redshift Serverless: whether there is one, letters of its availability zones (empty: the region's first
    three), its capacity and limits, its refresh, and the security groups of its clients by name.
  TEXT
  default     = {}
  nullable    = false
}
