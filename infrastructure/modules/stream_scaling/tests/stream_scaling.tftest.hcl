mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account_id = "111122223333"
  streams = {
    demo-test-raw = {
      arn     = "arn:aws:kinesis:eu-west-1:111122223333:stream/demo-test-raw"
      maximum = 8
      minimum = 2
      readers = 1
    }
  }
}

run "permissions" {
  command = plan

  assert {
    condition = { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Action } == {
      DecryptAtRest  = ["kms:Decrypt"]
      Encrypt        = ["kms:GenerateDataKey"]
      ReadMetrics    = ["cloudwatch:GetMetricData"]
      ReadStreams    = ["kinesis:DescribeStreamSummary"]
      ReportFailures = ["sqs:SendMessage"]
      Scale          = ["kinesis:UpdateShardCount"]
      WriteLogs      = ["logs:CreateLogStream", "logs:PutLogEvents"]
    }
    error_message = "The function must have these actions and no others."
  }

  assert {
    condition = (
      [for statement in jsondecode(output.policy).Statement : statement.Resource if statement.Sid == "ReadStreams"] ==
      [[var.streams["demo-test-raw"].arn]]
    )
    error_message = "It reads the streams it is given only."
  }
}

run "bounds_the_wrong_way_round" {
  command         = plan
  expect_failures = [var.streams]

  variables {
    streams = { raw = { arn = "arn", maximum = 1, minimum = 2, readers = 1 } }
  }
}

run "more_readers_than_reads" {
  command         = plan
  expect_failures = [var.streams]

  variables {
    streams = { raw = { arn = "arn", maximum = 2, minimum = 1, readers = 6 } }
  }
}
