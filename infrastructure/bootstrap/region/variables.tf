variable "project" {
  type        = string
  description = "First part of every name, as in bootstrap."
  default     = "player-analytics"
  nullable    = false
}

variable "region" {
  type        = string
  description = "AWS region that bootstrap was not applied to."
  nullable    = false
}
