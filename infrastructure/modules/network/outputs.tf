output "network" {
  description = <<-TEXT
    Id and addresses of the VPC, its private subnets, and the prefix list of S3 for rules of security groups.
  TEXT
  value = {
    cidr_block        = aws_vpc.this.cidr_block
    s3_prefix_list_id = aws_vpc_endpoint.gateway["s3"].prefix_list_id
    subnet_ids        = [for subnet in aws_subnet.private : subnet.id]
    vpc_id            = aws_vpc.this.id
  }

  # A resource in the network must reach AWS from its first second.
  depends_on = [
    aws_route_table_association.private,
    aws_vpc_endpoint.gateway,
    aws_vpc_endpoint.interface,
    aws_vpc_security_group_ingress_rule.endpoints,
  ]
}
