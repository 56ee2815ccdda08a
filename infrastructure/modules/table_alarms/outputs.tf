output "dimensions" {
  description = "What each alarm watches, keyed by the alarm's name."
  value       = { for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name => alarm.dimensions }
}
