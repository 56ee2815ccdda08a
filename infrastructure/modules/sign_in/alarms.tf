locals {
  runbook    = "docs/runbooks/sign-in.md"
  dimensions = { UserPool = aws_cognito_user_pool.this.id, UserPoolClient = aws_cognito_user_pool_client.page.id }
}

resource "aws_cloudwatch_metric_alarm" "refused" {
  alarm_name          = "${var.name_prefix}-sign-in-refused"
  alarm_actions       = [var.alerts_topic_arn]
  alarm_description   = "More than 10 sign-ins are refused in 15 minutes: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  ok_actions          = [var.alerts_topic_arn]
  threshold           = 10
  treat_missing_data  = "notBreaching"

  # Cognito counts 1 for a sign-in that succeeds and 0 for one that does not.
  metric_query {
    id          = "refused"
    expression  = "tried - succeeded"
    label       = "Refused sign-ins"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { succeeded = "Sum", tried = "SampleCount" }

    content {
      id = metric_query.key

      metric {
        dimensions  = local.dimensions
        metric_name = "SignInSuccesses"
        namespace   = "AWS/Cognito"
        period      = 900
        stat        = metric_query.value
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "throttled" {
  alarm_name          = "${var.name_prefix}-sign-in-throttled"
  alarm_actions       = [var.alerts_topic_arn]
  alarm_description   = "Cognito throttles sign-ins: ${local.runbook}"
  comparison_operator = "GreaterThanThreshold"
  dimensions          = local.dimensions
  evaluation_periods  = 1
  metric_name         = "SignInThrottles"
  namespace           = "AWS/Cognito"
  ok_actions          = [var.alerts_topic_arn]
  period              = 300
  statistic           = "Sum"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}
