locals {
  in_vpc = length(var.vpc.subnet_ids) > 0

  application_statements = {
    Decrypt = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.events]
    }
    # This action takes no resource.
    FindLogGroup = {
      actions   = ["logs:DescribeLogGroups"]
      resources = ["*"]
    }
    # The suffix matches the streams of the application's own log group.
    FindLogStream = {
      actions   = ["logs:DescribeLogStreams"]
      resources = ["${aws_cloudwatch_log_group.application.arn}:*"]
    }
    PublishMetrics = {
      actions   = ["kinesis:PutRecords"]
      resources = [aws_kinesis_stream.metrics.arn]
    }
    ReadCode = {
      actions   = ["s3:GetObject", "s3:GetObjectVersion"]
      resources = ["${var.code_bucket.arn}/${aws_s3_object.package.key}"]
    }
    ReadStream = {
      actions = [
        "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards",
      ]
      resources = [var.enriched_stream_arn]
    }
    WriteLogs = {
      actions   = ["logs:PutLogEvents"]
      resources = [aws_cloudwatch_log_stream.application.arn]
    }
  }

  ec2 = "arn:${var.account.partition}:ec2:${var.account.region}:${var.account.id}"

  # Actions that describe networks take no resource. Interfaces have no names before they exist.
  vpc_statements = {
    for sid, statement in {
      AttachToSubnets = {
        actions = ["ec2:CreateNetworkInterface"]
        resources = concat(
          ["${local.ec2}:network-interface/*"],
          [for id in sort(var.vpc.subnet_ids) : "${local.ec2}:subnet/${id}"],
          [for id in sort(var.vpc.security_group_ids) : "${local.ec2}:security-group/${id}"],
        )
      }
      DescribeNetwork = {
        actions = [
          "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups",
          "ec2:DescribeSubnets", "ec2:DescribeVpcs",
        ]
        resources = ["*"]
      }
      KeepInterfaces = {
        actions   = ["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"]
        resources = ["${local.ec2}:network-interface/*"]
      }
    } : sid => statement if local.in_vpc
  }
}

module "application_role" {
  source = "../service_role"

  boundary_arn    = var.settings.boundary_arn
  name            = local.application_name
  services        = ["kinesisanalytics.amazonaws.com"]
  statements      = merge(local.application_statements, local.vpc_statements)
  trust_condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
}
