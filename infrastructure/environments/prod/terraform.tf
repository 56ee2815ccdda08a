terraform {
  required_version = ">= 1.11"

  # -backend-config gives the bucket, its region and its key. bootstrap writes them.
  backend "s3" {
    encrypt      = true
    key          = "player-analytics/prod.tfstate"
    use_lockfile = true
  }

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
      environment = "prod"
      managed_by  = "terraform"
      project     = "player-analytics"
    }
  }
}
