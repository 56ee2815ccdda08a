locals {
  # Redshift Serverless needs three subnets. In a region with two zones, one zone has two subnets.
  subnets = {
    for number in range(max(3, length(var.availability_zones))) :
    number < length(var.availability_zones) ? local.zones[number] : "${local.zones[number]}-2" => {
      cidr_block = cidrsubnet(var.cidr_block, 4, number)
      zone       = local.zones[number]
    }
  }

  zones = concat(var.availability_zones, var.availability_zones)
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr_block
  enable_dns_hostnames = true
  enable_dns_support   = true
  tags                 = { Name = var.name_prefix }
}

# It has no rules: a resource without a security group of its own has no traffic.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "private" {
  for_each = local.subnets

  availability_zone = each.value.zone
  cidr_block        = each.value.cidr_block
  vpc_id            = aws_vpc.this.id
  tags              = { Name = "${var.name_prefix}-private-${each.key}" }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name_prefix}-private" }
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  route_table_id = aws_route_table.private.id
  subnet_id      = each.value.id
}

resource "aws_vpc_endpoint" "gateway" {
  for_each = toset(["dynamodb", "s3"])

  route_table_ids   = [aws_route_table.private.id]
  service_name      = "com.amazonaws.${var.account.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  vpc_id            = aws_vpc.this.id
  tags              = { Name = "${var.name_prefix}-${each.key}" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = var.interface_services

  private_dns_enabled = true
  security_group_ids  = [aws_security_group.endpoints.id]
  service_name        = "com.amazonaws.${var.account.region}.${each.key}"
  subnet_ids          = [for zone in var.availability_zones : aws_subnet.private[zone].id] # One a zone.
  vpc_endpoint_type   = "Interface"
  vpc_id              = aws_vpc.this.id
  tags                = { Name = "${var.name_prefix}-${each.key}" }
}

resource "aws_security_group" "endpoints" {
  #checkov:skip=CKV2_AWS_5:It belongs to the interface endpoints, of which there may be none.
  name        = "${var.name_prefix}-endpoints"
  description = "Interface endpoints: TLS from within the VPC."
  vpc_id      = aws_vpc.this.id

  # EC2 cannot change a description: a new text would replace a group that is in use.
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  cidr_ipv4         = var.cidr_block
  description       = "TLS from within the VPC."
  from_port         = 443
  ip_protocol       = "tcp"
  security_group_id = aws_security_group.endpoints.id
  to_port           = 443
}
