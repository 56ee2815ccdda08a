output "layers" {
  description = "Names of the tables by layer: gold, kept and silver."
  value       = { gold = keys(local.gold), kept = keys(local.kept), silver = ["events"] }
}

output "tables" {
  description = "Names of the tables: events of silver, those of gold, and those that the batch job keeps between runs."
  value       = keys(local.tables)
}

output "workgroup" {
  description = "Athena workgroup that queries are to run in."
  value       = aws_athena_workgroup.this.name
}
