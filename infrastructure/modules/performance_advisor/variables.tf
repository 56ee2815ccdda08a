variable "account" {
  type        = object({ id = string, partition = string, region = string })
  description = "Account and region of the environment."
  nullable    = false
}

variable "enabled" {
  type        = bool
  description = "Whether the schedule fires."
  default     = true
  nullable    = false
}

variable "lake" {
  type        = object({ arn = string, name = string })
  description = "Bucket that keeps advice below advice/."
  nullable    = false
}

variable "settings" {
  type = object({
    alerts_topic_arn   = string
    boundary_arn       = optional(string, "")
    code_signing_arn   = optional(string, "")
    kms_key_arns       = object({ events = string, operations = string })
    layer_arns         = list(string)
    log_level          = string
    log_retention_days = number
    name_prefix        = string
    packages_bucket    = string
    packages_directory = string
    tracing            = bool
  })
  description = "Settings that the functions of an environment share."
  nullable    = false
}

variable "watched" {
  type = object({
    consumers         = optional(map(string), {})
    flink             = optional(string, "")
    spark             = optional(string, "")
    spark_every_hours = optional(number, 24)
    spark_executors   = optional(number, 0)
    streams           = optional(map(string), {})
    tables            = optional(list(string), [])
  })
  description = "Names of the watched resources, by the variable of the platform that sizes them."
  nullable    = false
}
