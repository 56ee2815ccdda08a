output "arn" {
  description = "ARN of the role, once it has its permissions."
  value       = aws_iam_role.this.arn

  depends_on = [aws_iam_role_policy.this]
}

output "policy" {
  description = "JSON permissions of the role, for review."
  value       = aws_iam_role_policy.this.policy
}

output "trust" {
  description = "JSON of who may assume the role, for review."
  value       = aws_iam_role.this.assume_role_policy
}
