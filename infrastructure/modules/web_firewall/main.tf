resource "aws_wafv2_web_acl" "this" {
  #checkov:skip=CKV2_AWS_31:Logging is configured below.
  name        = "${var.name_prefix}-${var.name}"
  description = "In front of ${var.name}."
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  rule {
    name     = "known-bad-addresses"
    priority = 1

    override_action {
      none {}
    }

    statement {
      managed_rule_group_statement {
        name        = "AWSManagedRulesAmazonIpReputationList"
        vendor_name = "AWS"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${var.name_prefix}-${var.name}-known-bad-addresses"
      sampled_requests_enabled   = false
    }
  }

  # Bodies are counted, not blocked: crash reports and chat look like attacks.
  rule {
    name     = "known-attacks"
    priority = 2

    override_action {
      none {}
    }

    statement {
      managed_rule_group_statement {
        name        = "AWSManagedRulesKnownBadInputsRuleSet"
        vendor_name = "AWS"

        dynamic "rule_action_override" {
          for_each = toset(["JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY"])

          content {
            name = rule_action_override.value

            action_to_use {
              count {}
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${var.name_prefix}-${var.name}-known-attacks"
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "rate-per-address"
    priority = 3

    action {
      block {}
    }

    statement {
      rate_based_statement {
        aggregate_key_type    = "IP"
        evaluation_window_sec = 60
        limit                 = var.requests_per_minute
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${var.name_prefix}-${var.name}-rate-per-address"
      sampled_requests_enabled   = false
    }
  }

  # WAF reads the first 16 KB of a body, and its length from the header. The function answers 413 above 1 MB.
  dynamic "rule" {
    for_each = var.limit_sizes ? ["oversized"] : []

    content {
      name     = "oversized"
      priority = 4

      action {
        block {}
      }

      statement {
        or_statement {
          statement {
            size_constraint_statement {
              comparison_operator = "GT"
              size                = 512

              field_to_match {
                uri_path {}
              }

              text_transformation {
                priority = 0
                type     = "NONE"
              }
            }
          }

          statement {
            size_constraint_statement {
              comparison_operator = "GT"
              size                = 1024

              field_to_match {
                query_string {}
              }

              text_transformation {
                priority = 0
                type     = "NONE"
              }
            }
          }

          statement {
            regex_match_statement {
              regex_string = "^([2-9][0-9]{6}|[0-9]{8,})$"

              field_to_match {
                single_header {
                  name = "content-length"
                }
              }

              text_transformation {
                priority = 0
                type     = "NONE"
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${var.name_prefix}-${var.name}-oversized"
        sampled_requests_enabled   = false
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "${var.name_prefix}-${var.name}"
    sampled_requests_enabled   = false
  }
}

# WAF demands the prefix aws-waf-logs-.
resource "aws_cloudwatch_log_group" "this" {
  name              = "aws-waf-logs-${var.name_prefix}-${var.name}"
  kms_key_id        = var.kms_key_arn
  retention_in_days = var.log_retention_days
}

# Only blocked requests are logged, without keys and signatures.
resource "aws_wafv2_web_acl_logging_configuration" "this" {
  count = var.log_blocked ? 1 : 0

  log_destination_configs = [aws_cloudwatch_log_group.this.arn]
  resource_arn            = aws_wafv2_web_acl.this.arn

  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }
    }
  }

  dynamic "redacted_fields" {
    for_each = toset(["authorization", "x-api-key", "x-signature"])

    content {
      single_header {
        name = redacted_fields.value
      }
    }
  }
}
