output "warehouse" {
  description = "Workgroup, host, database, subnets and security group to connect to, the function and a secret."
  value = {
    database          = aws_redshiftserverless_namespace.this.db_name
    function          = module.function.name
    function_arn      = module.function.arn
    host              = one(aws_redshiftserverless_workgroup.this.endpoint[*].address)
    secret_arn        = aws_redshiftserverless_namespace.this.admin_password_secret_arn
    security_group_id = aws_security_group.this.id
    subnet_ids        = var.network.subnet_ids
    workgroup         = aws_redshiftserverless_workgroup.this.workgroup_name
  }
}
