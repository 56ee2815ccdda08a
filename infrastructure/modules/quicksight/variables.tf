variable "account" {
  type        = object({ id = string, partition = string, region = string })
  description = "Account, partition and region of the environment; it needs a QuickSight Enterprise subscription."
  nullable    = false
}

variable "boundary_arn" {
  type        = string
  description = "Policy that bounds what the roles may do, whatever their own grants. Empty: none."
  default     = ""
  nullable    = false
}

variable "defaults" {
  type = object({
    currency = optional(string, "USD")
    days     = optional(number, 60)
    game     = optional(string, "")
  })
  description = <<-TEXT
    What the dashboard opens with: a currency, days before today, and a game. Without a game, readers choose one first.
  TEXT
  default     = {}
  nullable    = false

  validation {
    condition = (
      can(regex("^[A-Z]{3}$", var.defaults.currency))
      && can(regex("^([a-z0-9][a-z0-9-]{1,62})?$", var.defaults.game))
    )
    error_message = "A currency is an ISO 4217 code, a game an id as registered."
  }

  validation {
    condition     = var.defaults.days >= 1 && floor(var.defaults.days) == var.defaults.days
    error_message = "Days are a whole number, at least 1."
  }
}

variable "groups" {
  type        = map(object({ games = set(string), role = string }))
  description = <<-TEXT
    Groups of users: the games that they see ("*" is every game) and their role. Readers open the dashboard. Authors
    also use the data sets, and engineers also use the data sources.
  TEXT
  default = {
    analysts  = { games = ["*"], role = "author" }
    producers = { games = ["*"], role = "reader" }
  }
  nullable = false

  validation {
    condition     = alltrue([for group in values(var.groups) : contains(["author", "engineer", "reader"], group.role)])
    error_message = "A group's role is reader, author or engineer."
  }

  validation {
    condition = alltrue([
      for group in values(var.groups) : length(group.games) > 0 && alltrue([
        for game in group.games : can(regex("^([*]|[a-z0-9][a-z0-9-]{1,62})$", game))
      ])
    ])
    error_message = "A group sees at least one game: ids as registered, or \"*\"."
  }

  validation {
    condition     = alltrue([for group in values(var.groups) : group.role != "engineer" || contains(group.games, "*")])
    error_message = "Engineers must see all games: a data source shows more than the rules of its data sets allow."
  }

  validation {
    condition = length(var.groups) > 0 && alltrue([
      for name in keys(var.groups) : can(regex("^[a-z][a-z0-9-]{1,40}$", name))
    ])
    error_message = "At least one group is needed. Its name has 2 to 41 lower-case letters, digits and hyphens."
  }
}

variable "identity_region" {
  type        = string
  description = "Region that keeps QuickSight's users and groups: where the account subscribed. Empty: this one."
  default     = ""
  nullable    = false
}

variable "kms_key_arn" {
  type        = string
  description = "Key that the lake is encrypted with."
  nullable    = false
}

variable "lake" {
  type        = object({ bucket = string, database = string, workgroup = string })
  description = <<-TEXT
    Bucket, Glue database and Athena workgroup of the lake. In the bucket, gold/ holds the tables, athena-results/ takes
    results and artifacts/ takes the template of the dashboard.
  TEXT
  nullable    = false
}

variable "name_prefix" {
  type        = string
  description = "First part of every name."
  nullable    = false
}

variable "refresh" {
  type = object({
    full_day  = optional(string, "SUNDAY")
    full_time = optional(string, "03:00")
    interval  = optional(string, "HOURLY")
  })
  description = "How often QuickSight reads the last days again, and when (UTC) it reads everything."
  default     = {}
  nullable    = false

  validation {
    condition     = contains(["MINUTE15", "MINUTE30", "HOURLY"], var.refresh.interval)
    error_message = "The last days are read again each MINUTE15, MINUTE30 or HOURLY."
  }

  validation {
    condition = (
      contains(
        ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"],
        var.refresh.full_day,
      )
      && can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]$", var.refresh.full_time))
    )
    error_message = "full_day is a day such as SUNDAY, and full_time a time such as 03:00."
  }
}

variable "warehouse" {
  type = object({
    credentials_secret_arn = optional(string, "")
    database               = optional(string, "")
    host                   = optional(string, "")
    port                   = optional(number, 5439)
    security_group_ids     = optional(set(string), [])
    subnet_ids             = optional(set(string), [])
  })
  description = "Redshift as a second data source, which QuickSight reaches in its network with a secret. Empty: none."
  default     = {}
  nullable    = false

  validation {
    condition = var.warehouse.host == "" || (
      var.warehouse.credentials_secret_arn != "" && var.warehouse.database != ""
      && length(var.warehouse.security_group_ids) > 0 && length(var.warehouse.subnet_ids) > 1
    )
    error_message = "A warehouse needs its database, a secret, a security group and subnets in two zones."
  }
}
