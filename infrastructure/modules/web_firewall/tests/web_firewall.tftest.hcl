mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  kms_key_arn         = "arn:aws:kms:eu-west-1:111122223333:key/example"
  log_retention_days  = 30
  name                = "ingest"
  name_prefix         = "demo-test"
  requests_per_minute = 3000
}

run "web_acl" {
  command = plan

  assert {
    condition = (
      { for rule in aws_wafv2_web_acl.this.rule : rule.name => rule.priority } ==
      { known-bad-addresses = 1, known-attacks = 2, oversized = 4, rate-per-address = 3 }
    )
    error_message = "Each rule must be there."
  }

  assert {
    condition = toset(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for group in rule.statement[0].managed_rule_group_statement : [
          for override in group.rule_action_override : override.name if length(override.action_to_use[0].count) == 1
        ]
      ]
    ])) == toset(["JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY"])
    error_message = "No rule may block a body: a crash report holds such text."
  }

  assert {
    condition = (
      [
        for rule in aws_wafv2_web_acl.this.rule :
        [
          rule.statement[0].rate_based_statement[0].limit,
          rule.statement[0].rate_based_statement[0].evaluation_window_sec,
        ]
        if rule.name == "rate-per-address"
      ] ==
      [[3000, 60]]
    )
    error_message = "The limit must be that of a minute."
  }

  assert {
    condition = alltrue([
      for rule in aws_wafv2_web_acl.this.rule :
      length(rule.action[0].block) == 1
      if contains(["oversized", "rate-per-address"], rule.name)
    ])
    error_message = "Floods and what is too large must be blocked, not counted."
  }

  assert {
    condition = (
      flatten([
        for rule in aws_wafv2_web_acl.this.rule :
        [
          for any in rule.statement[0].or_statement :
          [
            for one in any.statement :
            [for limit in one.size_constraint_statement : [limit.comparison_operator, tostring(limit.size)]]
          ]
        ]
      ]) ==
      ["GT", "512", "GT", "1024"]
    )
    error_message = "Path and query must be short."
  }

  assert {
    condition = alltrue(
      flatten([
        for rule in aws_wafv2_web_acl.this.rule :
        [
          for any in rule.statement[0].or_statement :
          [
            for one in any.statement :
            [
              for length in one.regex_match_statement :
              [
                length.field_to_match[0].single_header[0].name == "content-length",
                alltrue([for bytes in ["2000000", "10000000", "99999999999"] : can(regex(length.regex_string, bytes))]),
                anytrue(
                  [
                    for bytes in ["0", "999999", "1000000", "1000001", "1999999"] :
                    can(regex(length.regex_string, bytes))
                  ]
                ) ==
                false,
              ]
            ]
          ]
        ]
      ])
    )
    error_message = "A body of twice what the API takes must not get in; the API itself answers for a smaller one."
  }

  assert {
    condition = (
      toset(
        [for field in aws_wafv2_web_acl_logging_configuration.this[0].redacted_fields : field.single_header[0].name]
      ) ==
      toset(["authorization", "x-api-key", "x-signature"])
    )
    error_message = "Keys and signatures must not be logged."
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.this.name == "aws-waf-logs-demo-test-ingest"
      && aws_cloudwatch_log_group.this.kms_key_id == var.kms_key_arn
      && aws_cloudwatch_log_group.this.retention_in_days == 30
    )
    error_message = "The log must be encrypted and expire."
  }
}

run "long_queries" {
  command = plan

  assert {
    condition = (
      [for rule in aws_wafv2_web_acl.this.rule : rule.name if rule.name == "oversized"] == []
      && length(aws_wafv2_web_acl.this.rule) == 3
      && aws_wafv2_web_acl.this.name == "demo-test-sign-in"
    )
    error_message = "An identity provider's long answers must pass, and nothing else."
  }

  variables {
    limit_sizes = false
    name        = "sign-in"
  }
}

run "no_log" {
  command = plan

  assert {
    condition     = length(aws_wafv2_web_acl_logging_configuration.this) == 0
    error_message = "Where blocked requests are not logged, nothing may be."
  }

  variables {
    log_blocked = false
  }
}

run "limit_too_low" {
  command         = plan
  expect_failures = [var.requests_per_minute]

  variables {
    requests_per_minute = 1
  }
}
