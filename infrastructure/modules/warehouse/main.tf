locals {
  name    = "${var.settings.name_prefix}-warehouse"
  runbook = "docs/runbooks/warehouse.md"

  # Parameters that differ from Redshift's defaults, or that security relies on.
  parameters = {
    enable_user_activity_logging = "true"
    max_query_execution_time     = tostring(var.max_query_seconds)
    require_ssl                  = "true"
  }

  parameters_on_aws = [
    for parameter in aws_redshiftserverless_workgroup.this.config_parameter :
    "${parameter.parameter_key}=${parameter.parameter_value}"
  ]
}

resource "aws_redshiftserverless_namespace" "this" {
  namespace_name                   = local.name
  admin_password_secret_kms_key_id = var.settings.kms_key_arns.credentials
  admin_username                   = "warehouse_admin"
  db_name                          = "warehouse"
  iam_roles                        = [for role in module.redshift_role : role.arn]
  kms_key_id                       = var.settings.kms_key_arns.events
  log_exports                      = keys(aws_cloudwatch_log_group.audit)
  manage_admin_password            = true
}

# Redshift writes into a group of this name. If there is none, it makes one that has no key and never expires.
resource "aws_cloudwatch_log_group" "audit" {
  for_each = toset(["connectionlog", "useractivitylog", "userlog"])

  name              = "/aws/redshift/${local.name}/${each.key}"
  kms_key_id        = var.settings.kms_key_arns.operations
  retention_in_days = var.settings.log_retention_days
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

  dynamic "config_parameter" {
    for_each = local.parameters

    content {
      parameter_key   = config_parameter.key
      parameter_value = config_parameter.value
    }
  }

  # AWS returns every parameter that it knows, also those that the provider does not accept. Comparing the lists would
  # show a difference in each plan, and AWS refuses the update. Parameters are set once; the check below compares them.
  lifecycle {
    ignore_changes = [config_parameter]
  }
}

check "parameters" {
  assert {
    condition = alltrue([
      for name, value in local.parameters : contains(local.parameters_on_aws, "${name}=${value}")
    ])
    error_message = <<-TEXT
      The warehouse has other parameters than Terraform names. Terraform sets them once; afterwards set them by hand:
      aws redshift-serverless update-workgroup --workgroup-name ${local.name} --config-parameters \
        ${join(" ", [for name, value in local.parameters : "parameterKey=${name},parameterValue=${value}"])}
    TEXT
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

  # EC2 cannot change a description: other words would replace a security group that is in use.
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.network.client_security_group_ids

  description                  = "SQL from a client."
  from_port                    = 5439
  ip_protocol                  = "tcp"
  referenced_security_group_id = each.value
  security_group_id            = aws_security_group.this.id
  to_port                      = 5439
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  cidr_ipv4         = var.network.cidr_block
  description       = "Kinesis and Glue through the endpoints of the VPC."
  from_port         = 443
  ip_protocol       = "tcp"
  security_group_id = aws_security_group.this.id
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "lake" {
  description       = "S3 through the gateway of the VPC."
  from_port         = 443
  ip_protocol       = "tcp"
  prefix_list_id    = var.network.s3_prefix_list_id
  security_group_id = aws_security_group.this.id
  to_port           = 443
}
