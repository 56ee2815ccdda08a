mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account            = { id = "111122223333", partition = "aws", region = "eu-west-1" }
  availability_zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  interface_services = ["glue", "kinesis-streams"]
  kms_key_arn        = "arn:aws:kms:eu-west-1:111122223333:key/example"
  log_retention_days = 30
  name_prefix        = "demo-test"
}

run "resources" {
  command = plan

  assert {
    condition = (
      [for zone in var.availability_zones : aws_subnet.private[zone].cidr_block] ==
      ["10.42.0.0/24", "10.42.1.0/24", "10.42.2.0/24"]
      && alltrue([for subnet in aws_subnet.private : subnet.map_public_ip_on_launch != true])
    )
    error_message = "Each zone has a subnet, and none gives public addresses."
  }

  assert {
    condition     = aws_vpc.this.enable_dns_hostnames && aws_vpc.this.enable_dns_support
    error_message = "Interface endpoints answer to the services' own names."
  }

  assert {
    condition = (
      toset(keys(aws_route_table_association.private)) == toset(var.availability_zones)
      && length(output.network.subnet_ids) == 3
    )
    error_message = "Each subnet takes the routes that have no way out."
  }

  assert {
    condition = (
      {
        for name, endpoint in aws_vpc_endpoint.gateway : name => [endpoint.service_name, endpoint.vpc_endpoint_type]
      } ==
      { for name in ["dynamodb", "s3"] : name => ["com.amazonaws.eu-west-1.${name}", "Gateway"] }
    )
    error_message = "S3 and DynamoDB are reached at no charge."
  }

  assert {
    condition = (
      {
        for name, endpoint in aws_vpc_endpoint.interface :
        name => [endpoint.service_name, endpoint.vpc_endpoint_type, endpoint.private_dns_enabled]
      } ==
      { for name in ["glue", "kinesis-streams"] : name => ["com.amazonaws.eu-west-1.${name}", "Interface", true] }
    )
    error_message = "What is named has an interface endpoint under its own name."
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.endpoints.cidr_ipv4 == "10.42.0.0/20"
      && aws_vpc_security_group_ingress_rule.endpoints.from_port == 443
      && aws_vpc_security_group_ingress_rule.endpoints.to_port == 443
    )
    error_message = "Endpoints take TLS from within the VPC alone."
  }

  assert {
    condition = (
      aws_flow_log.this.traffic_type == "ALL"
      && aws_cloudwatch_log_group.flow_logs.kms_key_id == var.kms_key_arn
      && aws_cloudwatch_log_group.flow_logs.retention_in_days == 30
    )
    error_message = "All traffic is logged, encrypted, and for as long as other logs."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(module.flow_logs_role.policy).Statement :
        statement.Sid => [statement.Action, statement.Resource]
      } ==
      {
        FindLogGroup = [["logs:DescribeLogGroups"], ["*"]]
        WriteLogs = [
          ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
          [aws_cloudwatch_log_group.flow_logs.arn, "${aws_cloudwatch_log_group.flow_logs.arn}:*"],
        ]
      }
    )
    error_message = "The role writes the flow logs, and no more."
  }

  assert {
    condition = (
      [
        for statement in jsondecode(module.flow_logs_role.trust).Statement : [statement.Principal, statement.Condition]
      ] ==
      [[{ Service = ["vpc-flow-logs.amazonaws.com"] }, { StringEquals = { "aws:SourceAccount" = "111122223333" } }]]
    )
    error_message = "Flow logs of this account alone take the role."
  }
}

run "one_zone" {
  command         = plan
  expect_failures = [var.availability_zones]

  variables {
    availability_zones = ["eu-west-1a"]
  }
}

run "too_few_addresses" {
  command         = plan
  expect_failures = [var.cidr_block]

  variables {
    cidr_block = "10.42.0.0/24"
  }
}
