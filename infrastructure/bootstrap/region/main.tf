# The role is one for all regions: bootstrap makes it.
resource "aws_api_gateway_account" "this" {
  cloudwatch_role_arn = "arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:role/${var.project}-api-gateway-logs"
}

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}
