output "tables" {
  description = "Names of the tables: events of silver, those of gold, and those that the batch job keeps between runs."
  value       = keys(local.tables)
}

output "workgroup" {
  description = "Athena workgroup that queries are to run in."
  value       = aws_athena_workgroup.this.name
}
