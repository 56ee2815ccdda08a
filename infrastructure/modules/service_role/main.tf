# These actions take no resource.
locals {
  actions_without_resources = [
    "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
    "kinesis:ListStreams", "kinesis:UpdateShardCount", "lambda:ListEventSourceMappings", "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies", "logs:GetLogDelivery",
    "logs:GetQueryResults", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
    "redshift-data:DescribeStatement", "redshift-data:GetStatementResult", "redshift-data:ListStatements",
    "redshift-serverless:ListUsageLimits", "xray:GetSamplingRules", "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords", "xray:PutTraceSegments",
  ]
}

resource "aws_iam_role" "this" {
  name                 = var.name
  permissions_boundary = var.boundary_arn == "" ? null : var.boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      { Effect = "Allow", Principal = { Service = var.services }, Action = "sts:AssumeRole" },
      { for key, condition in { Condition = var.trust_condition } : key => condition if length(condition) > 0 },
    )]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "permissions"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for sid, statement in var.statements : merge(
        { Sid = sid, Effect = "Allow", Action = statement.actions, Resource = statement.resources },
        { for key, condition in { Condition = statement.condition } : key => condition if length(condition) > 0 },
      )
    ]
  })
}
