output "maximum_executors" {
  description = "Executors that a step may have."
  value       = var.job.maximum_executors
}

output "state_machine_arn" {
  description = "State machine that `scripts/backfill` starts: takes {from, to, run_id}."
  value       = aws_sfn_state_machine.this.arn
}
