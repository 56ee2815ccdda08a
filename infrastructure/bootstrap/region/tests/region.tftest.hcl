mock_provider "aws" {
  source = "../../testing"
}

variables {
  region = "us-east-1"
}

run "api_gateway" {
  assert {
    condition = (
      aws_api_gateway_account.this.cloudwatch_role_arn ==
      "arn:aws:iam::111122223333:role/player-analytics-api-gateway-logs"
    )
    error_message = "API Gateway writes logs with the role that bootstrap made for the account."
  }
}
