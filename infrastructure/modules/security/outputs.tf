output "kms_key_arns" {
  description = "ARNs of the keys by class of data."
  value       = { for class, key in aws_kms_key.this : class => key.arn }
}
