output "by_rank_arn" {
  description = "ARN of the index of leaderboards, which is sorted by rank."
  value       = module.leaderboards.index_arns["by_rank"]
}

output "failure_queue_name" {
  description = "Name of the queue of failed batches, by their position in the stream."
  value       = module.function.failure_queue_name
}

output "function_name" {
  description = "Name of the function."
  value       = module.function.function_name
}

output "mapping_id" {
  description = "Id of the event source mapping, the dimension of its metrics."
  value       = module.function.mapping_id
}

output "policy" {
  description = "JSON permissions of the role of leaderboards, for review."
  value       = module.function.policy
}

output "tables" {
  description = "Tables of leaderboards and their definitions."
  value       = { boards = module.boards.table, leaderboards = module.leaderboards.table }
}
