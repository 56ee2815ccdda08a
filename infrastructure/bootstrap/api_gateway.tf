# The setting is one for an account and region. Environments share it, so none of them may own it.
resource "aws_api_gateway_account" "this" {
  count = var.api_gateway_logs ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.api_gateway_logs[0].arn

  depends_on = [aws_cloudwatch_log_group.service, aws_iam_role_policy_attachment.api_gateway_logs]
}

# The role serves every region of the account. ./region sets it in further regions.
resource "aws_iam_role" "api_gateway_logs" {
  count = var.api_gateway_logs ? 1 : 0

  name = "${var.project}-api-gateway-logs"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "apigateway.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

# API Gateway refuses a role with less than its managed policy.
resource "aws_iam_role_policy_attachment" "api_gateway_logs" {
  count = var.api_gateway_logs ? 1 : 0

  role = aws_iam_role.api_gateway_logs[0].name
  policy_arn = join(":", [
    "arn", data.aws_partition.this.partition, "iam", "", "aws",
    "policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
  ])
}
