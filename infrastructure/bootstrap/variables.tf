variable "github_repository" {
  type        = string
  description = "Repository whose workflows plan and apply, as owner/name. Empty: none."
  default     = ""
  nullable    = false

  validation {
    condition     = var.github_repository == "" || can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "The repository is owner/name, without wildcards."
  }
}

variable "project" {
  type        = string
  description = "First part of every name."
  default     = "player-analytics"
  nullable    = false
}

variable "region" {
  type        = string
  description = "AWS region of the state and of the environments that use it."
  default     = "eu-west-1"
  nullable    = false
}
