mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account     = { id = "111122223333", partition = "aws", region = "eu-west-1" }
  name_prefix = "demo-test"
}

run "resources" {
  command = plan

  assert {
    condition = (
      keys(output.kms_key_arns) == ["credentials", "events", "operations", "players"]
      && alltrue([for key in aws_kms_key.this : key.enable_key_rotation])
    )
    error_message = "Each class of data has a key of its own, and it rotates."
  }

  assert {
    condition = (
      [for alias in aws_kms_alias.this : alias.name] ==
      [for class in ["credentials", "events", "operations", "players"] : "alias/demo-test-${class}"]
    )
    error_message = "A key is found by its class."
  }

  assert {
    condition = (
      {
        for class in ["credentials", "events", "players"] :
        class => jsondecode(aws_kms_key.this[class].policy).Statement[1].Condition
      } ==
      {
        credentials = {
          StringEquals = {
            "kms:ViaService" = [
              "dynamodb.eu-west-1.amazonaws.com", "redshift.eu-west-1.amazonaws.com",
              "redshift-serverless.eu-west-1.amazonaws.com", "secretsmanager.eu-west-1.amazonaws.com",
            ]
          }
        }
        events = {
          StringEquals = {
            "kms:ViaService" = [
              "athena.eu-west-1.amazonaws.com", "firehose.eu-west-1.amazonaws.com", "kinesis.eu-west-1.amazonaws.com",
              "redshift.eu-west-1.amazonaws.com", "redshift-data.eu-west-1.amazonaws.com",
              "redshift-serverless.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com",
            ]
          }
        }
        players = { StringEquals = { "kms:ViaService" = ["dynamodb.eu-west-1.amazonaws.com"] } }
      }
    )
    error_message = "A key of data serves the services that hold the data."
  }

  assert {
    condition = alltrue([
      for class in ["credentials", "events", "players"] :
      [
        for statement in jsondecode(aws_kms_key.this[class].policy).Statement :
        [statement.Sid, values(statement.Principal)[0]]
      ] ==
      [
        ["AccountManages", "arn:aws:iam::111122223333:root"],
        ["AccountUsesThroughServices", "arn:aws:iam::111122223333:root"],
      ]
    ])
    error_message = "Nobody but the account may use a key of data, no service by itself."
  }

  assert {
    condition = alltrue([
      for class in ["credentials", "events", "players"] :
      length(
        setintersection(
          jsondecode(aws_kms_key.this[class].policy).Statement[0].Action,
          [
            "kms:*", "kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
          ]
        )
      ) ==
      0
    ])
    error_message = "Who manages a key of data must not read with it."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(aws_kms_key.this["operations"].policy).Statement :
        statement.Sid => values(statement.Principal)
      } ==
      {
        AccountDecides    = ["arn:aws:iam::111122223333:root"]
        CloudWatchAlarms  = ["cloudwatch.amazonaws.com"]
        CloudWatchLogs    = ["logs.eu-west-1.amazonaws.com"]
        EventBridgeQueues = ["events.amazonaws.com"]
        EventBridgeTopics = ["events.amazonaws.com"]
        LogDeliveries     = ["delivery.logs.amazonaws.com"]
      }
    )
    error_message = "Only the account, CloudWatch and EventBridge may use the key."
  }

  assert {
    condition = toset(jsondecode(aws_kms_key.this["operations"].policy).Statement[1].Action) == toset([
      "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey",
      "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
    ])
    error_message = "CloudWatch Logs must have these actions and no others."
  }

  assert {
    condition = strcontains(
      jsonencode(jsondecode(aws_kms_key.this["operations"].policy).Statement[1].Condition),
      "arn:aws:logs:eu-west-1:111122223333:log-group:"
    )
    error_message = "CloudWatch Logs may use the key for this account's log groups only."
  }

  assert {
    condition = (
      jsondecode(aws_kms_key.this["operations"].policy).Statement[2].Action == ["kms:Decrypt", "kms:GenerateDataKey"]
      && (
        jsondecode(aws_kms_key.this["operations"].policy).Statement[2].Condition ==
        { StringEquals = { "aws:SourceAccount" = "111122223333" } }
      )
    )
    error_message = "Alarms of this account must be able to publish to an encrypted topic, and do no more."
  }

  assert {
    condition = jsondecode(aws_kms_key.this["operations"].policy).Statement[3].Action == ["kms:Decrypt"] && (
      jsondecode(aws_kms_key.this["operations"].policy).Statement[3].Condition == {
        StringEquals = { "kms:EncryptionContext:SourceArn" = "arn:aws:logs:eu-west-1:111122223333:*" }
      }
    )
    error_message = "Deliveries must be able to write encrypted logs of this account, and do no more."
  }

  assert {
    condition = [
      for statement in jsondecode(aws_kms_key.this["operations"].policy).Statement :
      [jsonencode(statement.Action), jsonencode(statement.Condition)] if startswith(statement.Sid, "EventBridge")
      ] == [
      for key, arn in {
        "kms:EncryptionContext:aws:sqs:arn"      = "arn:aws:sqs:eu-west-1:111122223333:demo-test-*"
        "kms:EncryptionContext:aws:sns:topicArn" = "arn:aws:sns:eu-west-1:111122223333:demo-test-*"
      } : [jsonencode(["kms:Decrypt", "kms:GenerateDataKey"]), jsonencode({ ArnLike = { (key) = arn } })]
    ]
    error_message = "Rules must be able to reach this environment's encrypted queues and topics, and do no more."
  }
}

run "deletion_window_too_short" {
  command         = plan
  expect_failures = [var.deletion_window_days]

  variables {
    deletion_window_days = 1
  }
}
