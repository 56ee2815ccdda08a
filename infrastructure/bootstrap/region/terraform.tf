# The state stays on disk, beside the state of bootstrap.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "= 5.100.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      environment = "shared"
      managed_by  = "terraform"
      project     = var.project
    }
  }
}
