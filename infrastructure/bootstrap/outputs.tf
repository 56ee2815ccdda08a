output "backend_config" {
  description = "Where the environments keep their states, for terraform init -backend-config."
  value       = <<-EOT
    bucket     = "${aws_s3_bucket.state.bucket}"
    kms_key_id = "${aws_kms_key.state.arn}"
    region     = "${var.region}"
  EOT
}
