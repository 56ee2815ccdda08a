variable "account" {
  type        = object({ id = string, partition = string, region = string })
  description = "Account, partition and region of the environment."
  nullable    = false
}

variable "ingest_url" {
  type        = string
  description = "URL of the REST API that takes events. The page shows it to who sends the first event."
  nullable    = false
}

variable "lake" {
  type = object({
    bucket        = object({ arn = string, name = string })
    database      = string
    scan_limit_gb = optional(number, 10)
    tables        = list(string)
  })
  description = <<-EOT
    Bucket, Glue database and tables of gold and silver that the API reads, and the most gigabytes that one query may
    scan.
  EOT
  nullable    = false

  validation {
    condition     = var.lake.scan_limit_gb >= 1 && floor(var.lake.scan_limit_gb) == var.lake.scan_limit_gb
    error_message = "lake.scan_limit_gb is a whole number, at least 1."
  }
}

variable "leaderboards_by_rank_arn" {
  type        = string
  description = "ARN of the index of leaderboards by rank."
  nullable    = false
}

variable "protection" {
  type        = object({ deletion = bool, point_in_time_recovery = bool })
  description = "Whether the table refuses deletion, and whether it can be restored to any second of the last 35 days."
  nullable    = false
}

variable "settings" {
  type = object({
    alerts_topic_arn   = string
    boundary_arn       = optional(string, "")
    code_signing_arn   = optional(string, "")
    kms_key_arns       = object({ credentials = string, events = string, operations = string, players = string })
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

variable "sign_in" {
  type        = list(object({ id = string, issuer = string, scope = string, url = string }))
  description = <<-EOT
    Client of the user pool whose tokens the API takes, their issuer and scope, and the address of the sign-in page.
    Empty: only signed requests are answered, and nobody opens the pages.
  EOT
  default     = []
  nullable    = false

  validation {
    condition     = length(var.sign_in) <= 1
    error_message = "The API takes tokens of one user pool."
  }

  validation {
    condition     = alltrue(flatten([for client in var.sign_in : [for value in values(client) : value != ""]]))
    error_message = "A token is checked against its client, issuer and scope: none of them is empty."
  }
}

variable "sizing" {
  type        = object({ memory_mb = number, reserved_concurrency = optional(number, -1), timeout_seconds = number })
  description = "Memory, time limit, and reserved executions of the function. -1 reserves none and sets no limit."
  nullable    = false
}

variable "tables" {
  type = object({
    boards        = object({ arn = string, name = string })
    game_days     = object({ arn = string, name = string })
    games         = object({ arn = string, name = string })
    ingest_stats  = object({ arn = string, name = string })
    leaderboards  = object({ arn = string, name = string })
    players       = object({ arn = string, name = string })
    quality       = object({ arn = string, name = string })
    realtime      = object({ arn = string, name = string })
    recent_events = object({ arn = string, name = string })
  })
  description = "Tables that the API reads."
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
