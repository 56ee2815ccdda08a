output "layers" {
  description = "Names of the tables by layer: gold, kept, silver, and spend, which are costs of advertising."
  value       = { gold = keys(local.gold), kept = keys(local.kept), silver = ["events"], spend = ["ad_spend"] }
}

output "personal_tables" {
  description = "Names of the tables that name players: an erasure deletes from them."
  value = toset([
    for name, table in local.tables : name
    if contains([for column in table.columns : column.name], "player_id")
  ])
}

output "tables" {
  description = "Names of all tables: of silver, of gold, of what the batch job keeps between runs, and of costs."
  value       = keys(local.tables)
}

output "workgroup" {
  description = "Athena workgroup of queries of the lake."
  value       = aws_athena_workgroup.this.name
}
