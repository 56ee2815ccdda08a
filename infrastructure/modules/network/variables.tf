variable "account" {
  type        = object({ id = string, partition = string, region = string })
  description = "Account, partition and region of the environment."
  nullable    = false
}

variable "availability_zones" {
  type        = list(string)
  description = "Zones that take a subnet each; of two zones the first takes two."
  nullable    = false

  validation {
    condition     = length(var.availability_zones) >= 2 && length(var.availability_zones) <= 4 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "Two to four different zones: one that fails must leave another."
  }
}

variable "boundary_arn" {
  type        = string
  description = "Policy that bounds what the roles may do, whatever their own grants. Empty: none."
  default     = ""
  nullable    = false
}

variable "cidr_block" {
  type        = string
  description = "Addresses of the VPC; a subnet takes a sixteenth of them."
  default     = "10.42.0.0/20"
  nullable    = false

  validation {
    condition     = can(cidrhost(var.cidr_block, 0)) && tonumber(try(split("/", var.cidr_block)[1], 0)) >= 16 && tonumber(try(split("/", var.cidr_block)[1], 32)) <= 22
    error_message = "An IPv4 block of /16 to /22: Redshift wants dozens of free addresses in each subnet."
  }
}

variable "interface_services" {
  type        = set(string)
  description = "AWS services that are reached through an interface endpoint in each zone."
  default     = []
  nullable    = false
}

variable "kms_key_arn" {
  type        = string
  description = "KMS key of the flow logs."
  nullable    = false
}

variable "log_retention_days" {
  type        = number
  description = "Days that flow logs are kept."
  nullable    = false
}

variable "name_prefix" {
  type        = string
  description = "First part of every name."
  nullable    = false
}
