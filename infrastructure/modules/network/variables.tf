variable "account" {
  type        = object({ id = string, partition = string, region = string })
  description = "Account, partition and region of the environment."
  nullable    = false
}

variable "availability_zones" {
  type        = list(string)
  description = "Zones that get a subnet each. Of two zones, the first gets two subnets."
  nullable    = false

  validation {
    condition = (
      contains([2, 3, 4], length(var.availability_zones))
      && length(distinct(var.availability_zones)) == length(var.availability_zones)
    )
    error_message = "Name two to four different zones: one must be left when another fails."
  }
}

variable "boundary_arn" {
  type        = string
  description = "Permissions boundary of the roles. Empty: none."
  default     = ""
  nullable    = false
}

variable "cidr_block" {
  type        = string
  description = "Addresses of the VPC; a subnet takes a sixteenth of them."
  default     = "10.42.0.0/20"
  nullable    = false

  validation {
    condition = (
      can(cidrhost(var.cidr_block, 0))
      && contains(range(16, 23), tonumber(try(split("/", var.cidr_block)[1], 0)))
    )
    error_message = "The block is an IPv4 block of /16 to /22: Redshift needs dozens of free addresses in each subnet."
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
