mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account = { id = "111122223333", partition = "aws", region = "eu-west-1" }
  lake    = { arn = "arn:aws:s3:::demo-test-lake", name = "demo-test-lake" }
  watched = { streams = { "streams.raw_shards" = "demo-test-raw" }, tables = ["demo-test-players"] }
}

run "permissions" {
  command = plan

  assert {
    condition = (
      { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Action } == {
        Archive       = ["s3:PutObject"]
        DecryptAtRest = ["kms:Decrypt"]
        Encrypt       = ["kms:GenerateDataKey"]
        EncryptAdvice = ["kms:GenerateDataKey"]
        Publish       = ["sns:Publish"]
        ReadMetrics = [
          "cloudwatch:GetMetricData",
          "cloudwatch:GetMetricStatistics",
          "lambda:ListEventSourceMappings",
        ]
        ReadSizes = [
          "dynamodb:DescribeTable", "kinesis:DescribeStreamSummary", "kinesisanalytics:DescribeApplication",
          "lambda:GetFunctionConfiguration",
        ]
        ReportFailures = ["sqs:SendMessage"]
        WriteLogs      = ["logs:CreateLogStream", "logs:PutLogEvents"]
      }
    )
    error_message = "The function must have these actions and no others: it reads, and changes nothing."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(output.policy).Statement :
        statement.Sid => statement.Resource
        if startswith(statement.Action[0], "kms:")
      } ==
      {
        DecryptAtRest = [var.settings.kms_key_arns.operations]
        Encrypt       = [var.settings.kms_key_arns.operations]
        EncryptAdvice = [var.settings.kms_key_arns.events]
      }
    )
    error_message = "It may use the keys of what it touches, and no other."
  }

  assert {
    condition = (
      [for statement in jsondecode(output.policy).Statement : statement.Resource if statement.Sid == "Archive"] ==
      [["arn:aws:s3:::demo-test-lake/advice/*"]]
    )
    error_message = "It writes advice only."
  }
}
