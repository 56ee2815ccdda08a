variable "packages_directory" {
  type        = string
  description = "Directory of the packages that `make build` writes."
  default     = "../../../build/aws"
  nullable    = false
}

variable "region" {
  type        = string
  description = "AWS region of the environment."
  default     = "eu-west-1"
  nullable    = false
}
