output "key_policies" {
  description = "JSON policies of the keys by class of data, for review."
  value       = { for class, key in aws_kms_key.this : class => key.policy }
}

output "kms_key_arns" {
  description = "ARNs of the keys by class of data."
  value       = { for class, key in aws_kms_key.this : class => key.arn }
}
