output "tables" {
  description = "Names of the tables: events of silver, and those of gold."
  value       = keys(local.tables)
}

output "workgroup" {
  description = "Athena workgroup that queries are to run in."
  value       = aws_athena_workgroup.this.name
}
