# A function that takes all executions of the account stops all other functions. Missing data is not an alarm: an idle
# account reports no concurrency.
resource "aws_cloudwatch_metric_alarm" "concurrency" {
  alarm_name          = "${var.name_prefix}-account-concurrency"
  alarm_actions       = [var.alerts_topic_arn]
  alarm_description   = "The account is near its quota of concurrent executions: docs/runbooks/lambda-function.md"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 3
  metric_name         = "ConcurrentExecutions"
  namespace           = "AWS/Lambda"
  ok_actions          = [var.alerts_topic_arn]
  period              = 60
  statistic           = "Maximum"
  threshold           = var.account_concurrency
  treat_missing_data  = "notBreaching"
}

resource "aws_budgets_budget" "this" {
  count = var.budget.usd_a_month > 0 ? 1 : 0

  name         = var.name_prefix
  budget_type  = "COST"
  limit_amount = tostring(var.budget.usd_a_month)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  dynamic "notification" {
    for_each = length(var.budget.email_addresses) > 0 ? [50, 80, 100] : []

    content {
      comparison_operator        = "GREATER_THAN"
      notification_type          = notification.value == 100 ? "FORECASTED" : "ACTUAL"
      subscriber_email_addresses = var.budget.email_addresses
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
    }
  }
}
