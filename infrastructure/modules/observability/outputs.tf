output "dashboards" {
  description = "Names of the dashboards."
  value       = [for dashboard in aws_cloudwatch_dashboard.this : dashboard.dashboard_name]
}
