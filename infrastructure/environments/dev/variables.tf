variable "alert_emails" {
  type        = set(string)
  description = "Addresses that get alarms and warnings of the budget by e-mail. Each must confirm once."
  default     = []
  nullable    = false
}

variable "budget_usd_a_month" {
  type        = number
  description = "Monthly budget of the account in US dollars. 0: none, for an account that AWS Budgets refuses."
  default     = 700
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
  description = "QuickSight dashboards for groups of users. They need an Enterprise subscription first."
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
  description = "Address that reports are mailed from, which SES has verified (docs/first-day.md). Empty: no mail."
  default     = ""
  nullable    = false
}

variable "sign_in" {
  type = object({
    enabled = optional(bool, false)
    mfa     = optional(string)
    session = optional(object({ hours = optional(number), token_minutes = optional(number) }))

    identity_providers = optional(map(object({
      client_id       = optional(string)
      client_secret   = optional(string)
      email_attribute = optional(string)
      issuer_url      = optional(string)
      metadata_url    = optional(string)
    })))
  })
  description = "Sign-in of people to the pages, which opens them on the internet (docs/people.md)."
  default     = {}
  nullable    = false
}

variable "spark_executors" {
  type        = number
  description = "Most executors of a batch run, with four vCPUs each. More than 2 need a higher quota (docs/cost.md)."
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
  description = "Warehouse on Redshift. It costs about $2,190 a month while events arrive: raise the budget first."
  default     = {}
  nullable    = false
}
