variable "account_concurrency" {
  type        = number
  description = <<-TEXT
    Concurrent executions in the account that are an alarm: fewer than the quota, which is 1,000 unless raised.
  TEXT
  default     = 800
  nullable    = false
}

variable "alerts_topic_arn" {
  type        = string
  description = "SNS topic that alarms report to."
  nullable    = false
}

variable "apis" {
  type = object({
    ingest  = object({ name = string, stage = string })
    metrics = object({ id = string, stage = string })
  })
  description = "REST API that takes events, and HTTP API of the metrics."
  nullable    = false
}

variable "budget" {
  type        = object({ email_addresses = optional(set(string), []), usd_a_month = optional(number, 0) })
  description = "Monthly budget of the account in US dollars (0: none), and addresses that get mail at 50, 80, 100 %."
  default     = {}
  nullable    = false

  validation {
    condition     = var.budget.usd_a_month >= 0
    error_message = "A budget is not negative."
  }
}

variable "consumers" {
  type        = map(object({ function_name = string, mapping_id = string, queue_name = string }))
  description = "Consumers of the streams raw and enriched, by package: leaderboards, player_state, processor."
  nullable    = false

  validation {
    condition     = toset(keys(var.consumers)) == toset(["leaderboards", "player_state", "processor"])
    error_message = "The keys are leaderboards, player_state and processor: dashboards and objectives need them."
  }
}

variable "delivery_streams" {
  type        = map(string)
  description = "Names of the Firehose streams, keyed by bronze and rejected."
  nullable    = false
}

variable "flink_application" {
  type        = string
  description = "Name of the Flink application."
  nullable    = false
}

variable "functions" {
  type        = set(string)
  description = "Names of all functions."
  nullable    = false
}

variable "name_prefix" {
  type        = string
  description = "Start of every name: <project>-<environment>. It is also the namespace of the functions' metrics."
  nullable    = false
}

variable "objectives" {
  type = object({
    availability = optional(number, 0.999)
    completeness = optional(number, 0.9999)
    latency      = optional(number, 0.99)
  })
  description = "Shares of answered requests, of records that did not fail, and of events shown within ten seconds."
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for objective in values(var.objectives) : objective >= 0.9 && objective < 1])
    error_message = "An objective is at least 0.9 and less than 1: the fast alarm rings at 14.4 times the error budget."
  }
}

variable "region" {
  type        = string
  description = "Region whose metrics the dashboards show."
  nullable    = false
}

variable "state_machine_arn" {
  type        = string
  description = "State machine of the batch runs; empty where there are none."
  default     = ""
  nullable    = false
}

variable "streams" {
  type        = map(string)
  description = "Names of the Kinesis streams, keyed by raw and enriched."
  nullable    = false
}

variable "tables" {
  type        = set(string)
  description = "Names of the DynamoDB tables."
  nullable    = false
}
