variable "api_gateway_logs" {
  type        = bool
  description = <<-TEXT
    Whether to set the role with which API Gateway writes logs. An account has one such setting in each region: set
    this to false where another stack makes it.
  TEXT
  default     = true
  nullable    = false
}

variable "github" {
  type = object({
    oidc_provider_exists = optional(bool, false)
    owner_id             = optional(number, 0)
    repository           = optional(string, "")
    repository_id        = optional(number, 0)
    subjects             = optional(set(string), ["ids"])
  })
  description = <<-TEXT
    Repository (owner/name) whose workflows plan and apply; empty: none. GitHub sends subjects with the numeric ids of
    the repository and its owner (ids), or with names alone (names). An account has one OIDC provider for GitHub: say
    whether it exists already.
  TEXT
  default     = {}
  nullable    = false

  validation {
    condition     = var.github.repository == "" || can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github.repository))
    error_message = "The repository is owner/name, without ids and wildcards."
  }

  validation {
    condition     = length(var.github.subjects) > 0 && length(setsubtract(var.github.subjects, ["ids", "names"])) == 0
    error_message = "Subjects hold ids, names or both."
  }

  validation {
    condition = var.github.repository == "" || !contains(var.github.subjects, "ids") || alltrue([
      for id in [var.github.owner_id, var.github.repository_id] : id > 0 && floor(id) == id
    ])
    error_message = <<-TEXT
      Subjects with ids need owner_id and repository_id. This prints both: gh api repos/OWNER/NAME --jq '.owner.id,
      .id'
    TEXT
  }
}

variable "project" {
  type        = string
  description = "First part of every name."
  default     = "player-analytics"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.project))
    error_message = "A project's name has 3 to 24 lower-case letters, digits and hyphens, as in the environments."
  }
}

variable "region" {
  type        = string
  description = "AWS region of the states and of API Gateway's setting."
  default     = "eu-west-1"
  nullable    = false
}

variable "service_log_groups" {
  type        = set(string)
  description = <<-TEXT
    Log groups that AWS services would otherwise make without retention. Leave out groups that exist already.
  TEXT
  default = [
    "/aws-glue/iceberg-compaction/logs",
    "/aws-glue/iceberg-orphan-file-deletion/logs",
    "/aws-glue/iceberg-retention/logs",
    "/aws/apigateway/welcome",
  ]
  nullable = false
}
