variable "boundary_arn" {
  type        = string
  description = "Permissions boundary of the role. Empty: none."
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
  description = "Services that may assume the role, as in \"lambda.amazonaws.com\"."
  nullable    = false

  validation {
    condition = length(var.services) > 0 && alltrue([
      for service in var.services : endswith(service, ".amazonaws.com")
    ])
    error_message = "Only AWS services assume these roles, as in \"lambda.amazonaws.com\"."
  }
}

variable "statements" {
  type = map(object({
    actions   = list(string)
    condition = optional(map(map(list(string))), {})
    resources = list(string)
  }))
  description = "Least-privilege statements, keyed by Sid."
  nullable    = false

  validation {
    condition = alltrue(flatten([
      for statement in values(var.statements) : [for action in statement.actions : !strcontains(action, "*")]
    ]))
    error_message = "Wildcard actions are not allowed; name each API call."
  }

  validation {
    condition = alltrue([
      for statement in values(var.statements) :
      !contains(statement.resources, "*")
      || length(setsubtract(statement.actions, local.actions_without_resources)) == 0
    ])
    error_message = "Name each resource. The resource \"*\" is allowed only for actions that take no resource."
  }
}

variable "trust_condition" {
  type        = map(map(string))
  description = "Conditions of the trust policy, such as the account on whose behalf a service assumes the role."
  default     = {}
  nullable    = false
}
