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
