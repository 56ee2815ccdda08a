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
  value       = module.leaderboards.index_arns["by_rank"]
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
    boards       = module.boards.table
    game_days    = module.game_days.table
    leaderboards = module.leaderboards.table
    players      = module.players.table
  }
}
