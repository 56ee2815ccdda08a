output "dashboard_id" {
  description = "Dashboard of the lake's history."
  value       = "${var.name_prefix}-history"
}

output "groups" {
  description = "Groups that users are to be put into, by their name here."
  value       = { for name, group in aws_quicksight_group.this : name => group.group_name }
}
