output "maximum_executors" {
  description = "Most executors of a run."
  value       = var.job.maximum_executors
}

output "state_machine_arn" {
  description = "State machine that `scripts/backfill` starts with {from, to, run_id}."
  value       = aws_sfn_state_machine.this.arn
}
