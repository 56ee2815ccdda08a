mock_provider "aws" {
  source = "../../testing"
}

variables {
  kms_key_arn         = "arn:aws:kms:eu-west-1:111122223333:key/example"
  log_retention_days  = 30
  name_prefix         = "demo-test"
  requests_per_minute = 3000
  stage_arn           = "arn:aws:apigateway:eu-west-1::/restapis/mockrest/stages/live"
}

run "web_acl" {
  assert {
    condition     = toset([for rule in aws_wafv2_web_acl.this.rule : rule.name]) == toset(["known-bad-addresses", "rate-per-address"])
    error_message = "Each rule must be there, and none that judges bodies."
  }

  assert {
    condition     = aws_wafv2_web_acl_association.this.resource_arn == var.stage_arn
    error_message = "The stage must be protected."
  }

  assert {
    condition     = toset([for field in aws_wafv2_web_acl_logging_configuration.this[0].redacted_fields : field.single_header[0].name]) == toset(["authorization", "x-api-key", "x-signature"])
    error_message = "Keys and signatures must not be logged."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "aws-waf-logs-demo-test-ingest" && aws_cloudwatch_log_group.this.kms_key_id == var.kms_key_arn && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "The log must be encrypted and expire."
  }
}

run "limit_too_low" {
  command         = plan
  expect_failures = [var.requests_per_minute]

  variables {
    requests_per_minute = 1
  }
}
