output "failure_queue_name" {
  description = "Name of the queue of failed batches, by their position in the stream."
  value       = module.player_state.failure_queue_name
}

output "function_name" {
  description = "Name of the function."
  value       = module.player_state.function_name
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
  description = "Tables of players and of the days of each game."
  value       = { game_days = module.game_days.table, players = module.players.table }
}
