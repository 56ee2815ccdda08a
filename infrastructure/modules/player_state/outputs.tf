output "failure_queue_name" {
  description = "Name of the queue of failed batches, by their position in the stream."
  value       = module.player_state.failure_queue_name
}

output "function_name" {
  description = "Name of the function."
  value       = module.player_state.function_name
}

output "leaderboards_by_rank_arn" {
  description = "ARN of the index of leaderboards, which is sorted by rank."
  value       = module.leaderboards.index_arns["by_rank"]
}

output "mapping_id" {
  description = "Id of the event source mapping, the dimension of its metrics."
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
