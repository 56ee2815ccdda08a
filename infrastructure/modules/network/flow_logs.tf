resource "aws_flow_log" "this" {
  iam_role_arn             = module.flow_logs_role.arn
  log_destination          = aws_cloudwatch_log_group.flow_logs.arn
  max_aggregation_interval = 600
  traffic_type             = "ALL"
  vpc_id                   = aws_vpc.this.id
}

resource "aws_cloudwatch_log_group" "flow_logs" {
  name              = "/aws/vpc/${var.name_prefix}"
  kms_key_id        = var.kms_key_arn
  retention_in_days = var.log_retention_days
}

module "flow_logs_role" {
  source = "../service_role"

  boundary_arn    = var.boundary_arn
  name            = "${var.name_prefix}-flow-logs"
  services        = ["vpc-flow-logs.amazonaws.com"]
  trust_condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }

  statements = {
    # CloudWatch Logs lists the groups of an account and region only.
    FindLogGroup = {
      actions   = ["logs:DescribeLogGroups"]
      resources = ["*"]
    }
    # AWS documents these actions for flow logs. The suffix matches the streams of the log group.
    WriteLogs = {
      actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      resources = [
        aws_cloudwatch_log_group.flow_logs.arn, "${aws_cloudwatch_log_group.flow_logs.arn}:*",
      ]
    }
  }
}
