output "layers" {
  description = "Names of the tables by layer: gold, kept and silver."
  value       = { gold = keys(local.gold), kept = keys(local.kept), silver = ["events"] }
}

output "tables" {
  description = "Names of the tables of silver, of gold, and of what the batch job keeps between runs."
  value       = keys(local.tables)
}

output "workgroup" {
  description = "Athena workgroup of queries of the lake."
  value       = aws_athena_workgroup.this.name
}
