locals {
  ses = "arn:${var.account.partition}:ses:${var.account.region}:${var.account.id}"

  policy_statements = merge(
    {
      Archive = {
        actions   = ["s3:PutObject"]
        resources = ["${var.lake.arn}/reports/*"]
      }
      Encrypt = {
        actions   = ["kms:GenerateDataKey"]
        resources = [var.settings.kms_key_arn]
      }
      KeepLedger = {
        actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
        resources = [aws_dynamodb_table.reports.arn]
      }
      ListGames = {
        actions   = ["dynamodb:Scan"]
        resources = [var.tables.games.arn]
      }
      QueryCounts = {
        actions   = ["dynamodb:Query"]
        resources = [var.tables.game_days.arn]
      }
      ReadWebhooks = {
        actions   = ["secretsmanager:GetSecretValue"]
        resources = [aws_secretsmanager_secret.webhooks.arn]
      }
      ReportFailures = {
        actions   = ["sqs:SendMessage"]
        resources = [aws_sqs_queue.failures.arn]
      }
    },
    var.sender == "" ? {} : {
      Mail = {
        actions = ["ses:SendEmail"]
        resources = [
          "${local.ses}:configuration-set/${aws_sesv2_configuration_set.this.configuration_set_name}",
          "${local.ses}:identity/${var.sender}",
        ]
      }
    },
  )

  schedule_statements = {
    Encrypt = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arn]
    }
    Invoke = {
      actions   = ["lambda:InvokeFunction"]
      resources = [module.function.arn]
    }
    ReportFailures = {
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.failures.arn]
    }
  }
}

resource "aws_iam_role" "schedule" {
  name = "${local.name}-schedule"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
    }]
  })
}

resource "aws_iam_role_policy" "schedule" {
  name = "permissions"
  role = aws_iam_role.schedule.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for sid, statement in local.schedule_statements : {
        Sid      = sid
        Effect   = "Allow"
        Action   = statement.actions
        Resource = statement.resources
      }
    ]
  })
}
