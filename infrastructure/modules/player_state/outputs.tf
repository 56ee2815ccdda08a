output "failure_queue" {
  description = "Queue of the batches player_state gave up, by their position in the stream."
  value       = module.player_state.failure_queue
}

output "function_name" {
  description = "Name of the function that keeps the tables."
  value       = module.player_state.function_name
}

output "leaderboards_by_rank_arn" {
  description = "Index of the leaderboards, best first."
  value       = "${aws_dynamodb_table.leaderboards.arn}/index/by_rank"
}

output "mapping_id" {
  description = "Id of the event source mapping, which its metrics are named by."
  value       = module.player_state.mapping_id
}

output "policy" {
  description = "JSON permissions of the role of player_state, for review."
  value       = module.player_state.policy
}

output "tables" {
  description = "Tables of players, of the days of each game, of leaderboards and their definitions."
  value = {
    boards       = { arn = aws_dynamodb_table.boards.arn, name = aws_dynamodb_table.boards.name }
    game_days    = { arn = aws_dynamodb_table.game_days.arn, name = aws_dynamodb_table.game_days.name }
    leaderboards = { arn = aws_dynamodb_table.leaderboards.arn, name = aws_dynamodb_table.leaderboards.name }
    players      = { arn = aws_dynamodb_table.players.arn, name = aws_dynamodb_table.players.name }
  }
}
