locals {
  logs   = "arn:${var.account.partition}:logs:${var.account.region}:${var.account.id}"
  queues = "arn:${var.account.partition}:sqs:${var.account.region}:${var.account.id}"
  topics = "arn:${var.account.partition}:sns:${var.account.region}:${var.account.id}"

  # In a key policy "*" is this key, and the root of the account stands for its IAM policies.
  account = { AWS = "arn:${var.account.partition}:iam::${var.account.id}:root" }

  # An administrator of a data key cannot decrypt with it. Decryption goes through the service that holds the data.
  data_statements = {
    for class, data in local.classes : class => [
      {
        Sid       = "AccountManages"
        Effect    = "Allow"
        Principal = local.account
        Action = [
          "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
          "kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy",
          "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListKeyRotations",
          "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:RevokeGrant", "kms:RotateKeyOnDemand",
          "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias",
          "kms:UpdateKeyDescription",
        ]
        Resource = "*"
      },
      {
        Sid       = "AccountUsesThroughServices"
        Effect    = "Allow"
        Principal = local.account
        Action = [
          "kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
          "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
        ]
        Resource = "*"
        Condition = {
          StringEquals = {
            "kms:ViaService" = [for service in data.services : "${service}.${var.account.region}.amazonaws.com"]
          }
        }
      },
    ] if length(data.services) > 0
  }

  # Scheduler and Step Functions decrypt as the roles that they assume, so no service can be named.
  operations_statements = [
    {
      Sid       = "AccountDecides"
      Effect    = "Allow"
      Principal = local.account
      Action    = "kms:*"
      Resource  = "*"
    },
    {
      Sid       = "CloudWatchLogs"
      Effect    = "Allow"
      Principal = { Service = "logs.${var.account.region}.amazonaws.com" }
      Action = [
        "kms:Decrypt",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
      ]
      Resource = "*"
      Condition = {
        ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "${local.logs}:log-group:*" }
      }
    },
    {
      Sid       = "CloudWatchAlarms"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
    },
    # Deliveries write the logs of state machines, which are already encrypted.
    {
      Sid       = "LogDeliveries"
      Effect    = "Allow"
      Principal = { Service = "delivery.logs.amazonaws.com" }
      Action    = ["kms:Decrypt"]
      Resource  = "*"
      Condition = {
        StringEquals = { "kms:EncryptionContext:SourceArn" = "${local.logs}:*" }
      }
    },
    # EventBridge sends no aws:SourceArn or aws:SourceAccount to KMS. The encryption context, which SNS and SQS set
    # themselves, limits it to this environment's topics and queues.
    {
      Sid       = "EventBridgeTopics"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      Condition = {
        ArnLike = { "kms:EncryptionContext:aws:sns:topicArn" = "${local.topics}:${var.name_prefix}-*" }
      }
    },
    {
      Sid       = "EventBridgeQueues"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      Condition = { ArnLike = { "kms:EncryptionContext:aws:sqs:arn" = "${local.queues}:${var.name_prefix}-*" } }
    },
  ]

  key_policies = {
    for class, statements in merge(local.data_statements, { operations = local.operations_statements }) :
    class => jsonencode({ Version = "2012-10-17", Statement = statements })
  }
}
