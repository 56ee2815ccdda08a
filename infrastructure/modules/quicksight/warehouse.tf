locals {
  warehouses = { for host in compact([var.warehouse.host]) : "warehouse" => merge(var.warehouse, { host = host }) }

  ec2 = "arn:${var.account.partition}:ec2:${var.account.region}:${var.account.id}"

  # Describing networks knows no resources: AWS demands "*".
  network_statements = {
    DescribeNetwork = {
      actions   = ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets"]
      resources = ["*"]
    }
    KeepInterfaces = {
      actions = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute"]
      resources = concat(
        ["${local.ec2}:network-interface/*"],
        [for id in sort(var.warehouse.security_group_ids) : "${local.ec2}:security-group/${id}"],
        [for id in sort(var.warehouse.subnet_ids) : "${local.ec2}:subnet/${id}"],
      )
    }
  }
}

resource "aws_quicksight_data_source" "warehouse" {
  for_each = local.warehouses

  data_source_id = "${var.name_prefix}-warehouse"
  name           = "${var.name_prefix} warehouse"
  type           = "REDSHIFT"

  credentials {
    secret_arn = each.value.credentials_secret_arn
  }

  parameters {
    redshift {
      database = each.value.database
      host     = each.value.host
      port     = each.value.port
    }
  }

  dynamic "permission" {
    for_each = local.principals.data_source

    content {
      actions   = local.actions.data_source
      principal = permission.value
    }
  }

  ssl_properties {
    disable_ssl = false
  }

  vpc_connection_properties {
    vpc_connection_arn = aws_quicksight_vpc_connection.this[each.key].arn
  }
}

resource "aws_quicksight_vpc_connection" "this" {
  for_each = local.warehouses

  name               = "${var.name_prefix}-warehouse"
  role_arn           = module.network_role[each.key].arn
  security_group_ids = each.value.security_group_ids
  subnet_ids         = each.value.subnet_ids
  vpc_connection_id  = "${var.name_prefix}-warehouse"
}

module "network_role" {
  source   = "../service_role"
  for_each = local.warehouses

  boundary_arn = var.boundary_arn
  name         = "${var.name_prefix}-quicksight-network"
  services     = ["quicksight.amazonaws.com"]
  statements   = local.network_statements
}
