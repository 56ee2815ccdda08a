locals {
  own_statements = {
    DecryptAtRest = {
      actions   = ["kms:Decrypt"]
      resources = [var.settings.kms_key_arns.operations]
    }
    # The suffix matches the streams of the function's own log group.
    WriteLogs = {
      actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
    }
  }

  # The actions of X-Ray take no resource.
  tracing_statements = {
    for sid, statement in {
      WriteTraces = {
        actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        resources = ["*"]
      }
    } : sid => statement if var.settings.tracing
  }
}

module "role" {
  source = "../service_role"

  boundary_arn = var.settings.boundary_arn
  name         = local.function_name
  services     = ["lambda.amazonaws.com"]
  statements   = merge(var.policy_statements, local.own_statements, local.tracing_statements)
}
