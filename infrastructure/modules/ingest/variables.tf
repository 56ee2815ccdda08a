variable "games_table" {
  type        = object({ arn = string, name = string })
  description = "Table of the games that may send events, with the hashes of their keys."
  nullable    = false
}

variable "protection" {
  type        = object({ deletion = bool, point_in_time_recovery = bool })
  description = "Whether the table refuses deletion, and whether it can be restored to any second of the last 35 days."
  nullable    = false
}

variable "quota" {
  type        = object({ events_a_day = number, events_a_minute = number })
  description = <<-TEXT
    Events that the keys of one class of a game may send in a UTC day and in a minute. An event counts once for each
    KiB that it begins. Keys that have sent a day's events are disabled until `scripts/games enable`.
  TEXT
  nullable    = false

  validation {
    condition     = var.quota.events_a_minute >= 2000 && var.quota.events_a_day >= var.quota.events_a_minute
    error_message = "A minute must have room for one full request, and a day for one minute."
  }
}

variable "raw_stream" {
  type        = object({ arn = string, name = string })
  description = "Kinesis stream the events go to."
  nullable    = false
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

variable "sizing" {
  type        = object({ memory_mb = number, reserved_concurrency = optional(number, -1), timeout_seconds = number })
  description = "Memory, time limit, and reserved executions of the function. -1 reserves none and sets no limit."
  nullable    = false
}

variable "throttling" {
  type        = object({ burst = number, rate = number })
  description = "Requests per second, and the burst above it, that the API accepts. It answers 429 to others."
  nullable    = false

  validation {
    condition     = var.throttling.rate >= 1 && var.throttling.burst >= 1
    error_message = "An API must be throttled, and let at least one request per second through."
  }
}

variable "usage_plan" {
  type = object({
    burst          = number
    enforced       = optional(bool, true)
    rate           = number
    requests_a_day = number

    unproven = optional(object({ burst = number, rate = number, requests_a_day = number }), {
      burst = 20, rate = 10, requests_a_day = 20000
    })
  })
  description = <<-TEXT
    Requests that each game may send: per second, the burst above it, and per UTC day. If it is not enforced, all
    games share the limits of the API. Requests that show a game's id and neither a key nor its name have limits of
    their own (`unproven`), so that they cannot use up the game's.
  TEXT
  nullable    = false

  validation {
    condition     = var.usage_plan.rate >= 1 && var.usage_plan.burst >= 1 && var.usage_plan.requests_a_day >= 1000
    error_message = "A game may send at least one request a second, and 1000 a day."
  }

  validation {
    condition = (
      var.usage_plan.unproven.rate >= 1 && var.usage_plan.unproven.rate < var.usage_plan.rate
      && var.usage_plan.unproven.burst >= 1 && var.usage_plan.unproven.burst < var.usage_plan.burst
      && var.usage_plan.unproven.requests_a_day < var.usage_plan.requests_a_day
    )
    error_message = "Requests without a secret must have smaller limits than those of the games."
  }
}

variable "web_acl_arn" {
  type        = string
  description = "Web ACL in front of the stage."
  nullable    = false
}
