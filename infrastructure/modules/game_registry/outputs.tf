output "table" {
  description = "Table of the games that may send events, with the hashes of their keys."
  value       = { arn = aws_dynamodb_table.games.arn, name = aws_dynamodb_table.games.name }
}
