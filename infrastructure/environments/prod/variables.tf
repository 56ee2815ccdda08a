variable "alert_emails" {
  type        = set(string)
  description = "Who gets alarms and the budget's warnings by e-mail; each must confirm once."
  default     = []
  nullable    = false
}

variable "budget_usd_a_month" {
  type        = number
  description = "US dollars the account may cost in a month. 0: no budget, as long as AWS Budgets refuses the account."
  default     = 2000
  nullable    = false
}

variable "packages_directory" {
  type        = string
  description = "Directory of the packages that `make build` writes."
  default     = "../../../build/aws"
  nullable    = false
}

variable "quicksight" {
  type = object({
    enabled         = optional(bool, false)
    groups          = optional(map(object({ games = set(string), role = string })))
    identity_region = optional(string, "")
  })
  description = "Dashboards for groups of users. They need an Enterprise subscription in the identity region first."
  default     = {}
  nullable    = false
}

variable "region" {
  type        = string
  description = "AWS region of the environment."
  default     = "eu-west-1"
  nullable    = false
}

variable "report_sender" {
  type        = string
  description = "Address that reports are mailed from, to be confirmed at SES (left out: no mail)."
  default     = ""
  nullable    = false
}

variable "spark_executors" {
  type        = number
  description = "Executors of a batch step at most, four vCPUs each. More than 2 need a higher quota (docs/cost.md)."
  default     = 2
  nullable    = false
}

variable "warehouse" {
  type = object({
    availability_zones        = optional(set(string))
    capacity                  = optional(object({ base_rpu = optional(number), max_rpu = optional(number) }))
    client_security_group_ids = optional(map(string))
    enabled                   = optional(bool, false)

    usage_limit = optional(object({ breach_action = optional(string), rpu_hours_a_day = optional(number) }))
  })
  description = "The warehouse on Redshift. It costs about $2,190 a month while events come: raise the budget first."
  default     = {}
  nullable    = false
}
