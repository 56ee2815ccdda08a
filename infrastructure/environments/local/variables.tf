variable "packages_directory" {
  type        = string
  description = "Directory of the packages that `make build` writes."
  default     = "../../../build/local"
  nullable    = false
}

variable "region" {
  type        = string
  description = "AWS region of the environment."
  default     = "us-east-1"
  nullable    = false
}
