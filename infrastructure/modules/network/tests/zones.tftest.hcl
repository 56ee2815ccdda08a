# These runs apply, because a plan does not know the ids of subnets.
mock_provider "aws" {
  source = "../../testing"
}

variables {
  account            = { id = "111122223333", partition = "aws", region = "eu-west-1" }
  availability_zones = ["us-west-1a", "us-west-1c"]
  interface_services = ["glue", "kinesis-streams"]
  kms_key_arn        = "arn:aws:kms:eu-west-1:111122223333:key/example"
  log_retention_days = 30
  name_prefix        = "demo-test"
}

run "two_zones" {
  assert {
    condition = (
      { for name, subnet in aws_subnet.private : name => "${subnet.availability_zone} ${subnet.cidr_block}" } == {
        us-west-1a   = "us-west-1a 10.42.0.0/24"
        us-west-1a-2 = "us-west-1a 10.42.2.0/24"
        us-west-1c   = "us-west-1c 10.42.1.0/24"
      }
    )
    error_message = "Redshift Serverless takes three subnets in two zones where the region has no third."
  }

  assert {
    condition = alltrue([
      for endpoint in aws_vpc_endpoint.interface :
      endpoint.subnet_ids == toset([for zone in var.availability_zones : aws_subnet.private[zone].id])
    ])
    error_message = "An interface endpoint takes one subnet a zone."
  }
}
