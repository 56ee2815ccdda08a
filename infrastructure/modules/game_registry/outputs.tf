output "table" {
  description = "Table of the games that may send events, with the hashes of their keys."
  value       = module.games.table
}
