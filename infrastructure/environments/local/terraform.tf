terraform {
  required_version = ">= 1.11"

  backend "local" {}

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "= 5.100.0"
    }
  }
}

# AWS_ENDPOINT_URL alone leads to the emulator. It loses the tags of new streams, so none are set.
provider "aws" {
  region                      = var.region
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = false
}
