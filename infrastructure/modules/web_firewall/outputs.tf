output "web_acl_arn" {
  description = "Web ACL in front of the REST API."
  value       = aws_wafv2_web_acl.this.arn
}
