output "backend_config" {
  description = "Where the environments keep their states, for terraform init -backend-config."
  value       = <<-EOT
    bucket     = "${aws_s3_bucket.state.bucket}"
    kms_key_id = "${aws_kms_key.state.arn}"
    region     = "${var.region}"
  EOT
}

output "github_roles" {
  description = "ARNs for the repository's variables PLAN_ROLE_ARN and, in each environment, APPLY_ROLE_ARN."
  value       = { for name, role in aws_iam_role.github : name => role.arn }
}

output "permissions_boundaries" {
  description = "Names of the policies that bound the roles of each environment, for its `protection`."
  value       = { for name, policy in aws_iam_policy.boundary : name => policy.name }
}
