# bootstrap makes the role, one for all regions.
resource "aws_api_gateway_account" "this" {
  cloudwatch_role_arn = join(":", [
    "arn", data.aws_partition.this.partition, "iam", "", data.aws_caller_identity.this.account_id,
    "role/${var.project}-api-gateway-logs",
  ])

  depends_on = [aws_cloudwatch_log_group.service]
}

# Glue's optimizers and API Gateway would make these groups, one for an account and region, without retention. They
# hold names of tables and counts, no data.
resource "aws_cloudwatch_log_group" "service" {
  #checkov:skip=CKV_AWS_158:The groups hold no data, and the account has no key that environments share.
  #checkov:skip=CKV_AWS_338:Nobody needs these logs for a year.
  for_each = var.service_log_groups

  name              = each.key
  retention_in_days = 30
}

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}
