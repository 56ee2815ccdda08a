output "state_machine_arn" {
  description = "State machine that `scripts/backfill` starts: takes {from, to, run_id}."
  value       = aws_sfn_state_machine.this.arn
}
