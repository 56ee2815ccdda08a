output "dashboard_id" {
  description = "Dashboard of the lake's history."
  value       = "${var.name_prefix}-history"
}

output "groups" {
  description = "Groups that users are to be put into, by their name here."
  value       = local.group_names
}
