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
