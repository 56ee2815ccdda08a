variable "alert_emails" {
  type        = set(string)
  description = "Who gets alarms and the budget's warnings by e-mail; each must confirm once."
  default     = []
  nullable    = false
}

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

variable "report_sender" {
  type        = string
  description = "Address that reports are mailed from, to be confirmed at SES (left out: no mail)."
  default     = ""
  nullable    = false
}
