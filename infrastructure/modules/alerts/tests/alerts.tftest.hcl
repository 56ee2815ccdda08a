mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account_id      = "111122223333"
  email_addresses = ["oncall@example.com"]
  kms_key_arn     = "arn:aws:kms:eu-west-1:111122223333:key/example"
  name_prefix     = "demo-test"
}

run "topic" {
  command = plan

  assert {
    condition = (
      aws_sns_topic.this.name == "demo-test-alerts" && aws_sns_topic.this.kms_master_key_id == var.kms_key_arn
    )
    error_message = "The topic must be encrypted with the platform's key."
  }

  assert {
    condition = jsonencode(jsondecode(aws_sns_topic_policy.this.policy).Statement) == jsonencode([
      {
        Sid       = "AlarmsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.this.arn
        Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
      },
      {
        Sid       = "EventBridgeRules"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.this.arn
      },
    ])
    error_message = "Alarms of this account and EventBridge may publish, EventBridge without a Condition."
  }

  assert {
    condition = (
      [for subscription in aws_sns_topic_subscription.email : subscription.endpoint] == ["oncall@example.com"]
    )
    error_message = "Each address must be subscribed."
  }
}

run "no_address" {
  command         = plan
  expect_failures = [var.email_addresses]

  variables {
    email_addresses = ["oncall"]
  }
}
