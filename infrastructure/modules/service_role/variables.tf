variable "boundary_arn" {
  type        = string
  description = "Policy that bounds what the role may do, whatever its own grants. Empty: none."
  default     = ""
  nullable    = false
}

variable "name" {
  type        = string
  description = "Name of the role."
  nullable    = false
}

variable "services" {
  type        = list(string)
  description = "Who may assume the role, as in \"lambda.amazonaws.com\"."
  nullable    = false

  validation {
    condition     = length(var.services) > 0 && alltrue([for service in var.services : endswith(service, ".amazonaws.com")])
    error_message = "AWS services alone assume these roles, as in \"lambda.amazonaws.com\"."
  }
}

variable "statements" {
  type        = map(object({ actions = list(string), condition = optional(map(map(string)), {}), resources = list(string) }))
  description = "Least-privilege statements, keyed by Sid."
  nullable    = false

  validation {
    condition     = alltrue(flatten([for statement in values(var.statements) : [for action in statement.actions : !strcontains(action, "*")]]))
    error_message = "Wildcard actions are not allowed; name each API call."
  }

  validation {
    condition     = alltrue([for statement in values(var.statements) : !contains(statement.resources, "*") || length(setsubtract(statement.actions, local.actions_without_resources)) == 0])
    error_message = "A statement for every resource is not allowed but for actions that know no resource; name each one."
  }
}

variable "trust_condition" {
  type        = map(map(string))
  description = "On whose behalf a service may assume the role; Lambda names nobody."
  default     = {}
  nullable    = false
}
