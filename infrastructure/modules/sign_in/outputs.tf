output "client" {
  description = "What the metrics API checks tokens against, and the address of the sign-in page."
  value = {
    id     = aws_cognito_user_pool_client.page.id
    issuer = local.issuer
    scope  = local.scope
    url    = "https://${aws_cognito_user_pool_domain.this.domain}.auth.${var.account.region}.amazoncognito.com"
  }
}

output "user_pool_id" {
  description = "User pool that people and groups are added to."
  value       = aws_cognito_user_pool.this.id
}
