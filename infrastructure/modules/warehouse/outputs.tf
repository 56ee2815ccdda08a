output "warehouse" {
  description = "Workgroup and database to connect to, the function of the migrations, the admin's secret, and the security group."
  value = {
    database          = aws_redshiftserverless_namespace.this.db_name
    function          = module.migrations.name
    secret_arn        = aws_redshiftserverless_namespace.this.admin_password_secret_arn
    security_group_id = aws_security_group.this.id
    workgroup         = aws_redshiftserverless_workgroup.this.workgroup_name
  }
}
