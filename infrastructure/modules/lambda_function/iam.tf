locals {
  own_statements = {
    DecryptAtRest = {
      actions   = ["kms:Decrypt"]
      resources = [var.settings.kms_key_arn]
    }
    # The suffix stands for the streams of the function's own log group.
    WriteLogs = {
      actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
    }
  }

  # X-Ray knows no resources: AWS demands "*".
  tracing_statements = {
    for sid, statement in {
      WriteTraces = {
        actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        resources = ["*"]
      }
    } : sid => statement if var.settings.tracing
  }
}

resource "aws_iam_role" "this" {
  name = local.function_name

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "permissions"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for sid, statement in merge(var.policy_statements, local.own_statements, local.tracing_statements) : {
        Sid      = sid
        Effect   = "Allow"
        Action   = statement.actions
        Resource = statement.resources
      }
    ]
  })
}
