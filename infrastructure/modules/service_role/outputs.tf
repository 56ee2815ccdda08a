output "arn" {
  description = "ARN of the role. It is known when the role has its permissions."
  value       = aws_iam_role.this.arn

  depends_on = [aws_iam_role_policy.this]
}

output "policy" {
  description = "JSON permissions of the role, for review."
  value       = aws_iam_role_policy.this.policy
}

output "trust" {
  description = "JSON trust policy of the role, for review."
  value       = aws_iam_role.this.assume_role_policy
}
