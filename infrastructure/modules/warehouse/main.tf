locals {
  name    = "${var.settings.name_prefix}-warehouse"
  runbook = "docs/runbooks/warehouse.md"
}

resource "aws_redshiftserverless_namespace" "this" {
  namespace_name                   = local.name
  admin_password_secret_kms_key_id = var.settings.kms_key_arns.credentials
  admin_username                   = "warehouse_admin"
  db_name                          = "warehouse"
  iam_roles                        = [for role in module.redshift_role : role.arn]
  kms_key_id                       = var.settings.kms_key_arns.events
  log_exports                      = ["connectionlog", "useractivitylog", "userlog"]
  manage_admin_password            = true
}

resource "aws_redshiftserverless_workgroup" "this" {
  workgroup_name       = local.name
  base_capacity        = var.capacity.base_rpu
  enhanced_vpc_routing = true
  max_capacity         = var.capacity.max_rpu
  namespace_name       = aws_redshiftserverless_namespace.this.namespace_name
  publicly_accessible  = false
  security_group_ids   = [aws_security_group.this.id]
  subnet_ids           = var.network.subnet_ids

  # All of them: those left out would come back from AWS as a difference.
  dynamic "config_parameter" {
    for_each = {
      auto_mv                          = "true"
      datestyle                        = "ISO, MDY"
      enable_case_sensitive_identifier = "false"
      enable_user_activity_logging     = "true"
      max_query_execution_time         = tostring(var.max_query_seconds)
      query_group                      = "default"
      require_ssl                      = "true"
      search_path                      = "$user, public"
      use_fips_ssl                     = "false"
    }

    content {
      parameter_key   = config_parameter.key
      parameter_value = config_parameter.value
    }
  }
}

resource "aws_redshiftserverless_usage_limit" "this" {
  amount        = var.usage_limit.rpu_hours_a_day
  breach_action = var.usage_limit.breach_action
  period        = "daily"
  resource_arn  = aws_redshiftserverless_workgroup.this.arn
  usage_type    = "serverless-compute"
}

resource "aws_security_group" "this" {
  name        = local.name
  description = "The warehouse: its clients in, endpoints and S3 out."
  vpc_id      = var.network.vpc_id

  # EC2 cannot change a description: other words would replace a group that is in use.
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.network.client_security_group_ids

  description                  = "SQL of ${each.key}."
  from_port                    = 5439
  ip_protocol                  = "tcp"
  referenced_security_group_id = each.value
  security_group_id            = aws_security_group.this.id
  to_port                      = 5439
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  cidr_ipv4         = var.network.cidr_block
  description       = "Kinesis and Glue, by the VPC's endpoints."
  from_port         = 443
  ip_protocol       = "tcp"
  security_group_id = aws_security_group.this.id
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "lake" {
  description       = "S3, by the VPC's gateway."
  from_port         = 443
  ip_protocol       = "tcp"
  prefix_list_id    = var.network.s3_prefix_list_id
  security_group_id = aws_security_group.this.id
  to_port           = 443
}
