output "key_policy" {
  description = "JSON policy of the key, for review."
  value       = aws_kms_key.this.policy
}

output "kms_key_arn" {
  description = "ARN of the key that encrypts everything the environment keeps."
  value       = aws_kms_key.this.arn
}
