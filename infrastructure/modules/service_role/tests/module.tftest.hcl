mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  name     = "demo-test-scheduler"
  services = ["scheduler.amazonaws.com"]

  statements = {
    Invoke = {
      actions   = ["lambda:InvokeFunction"]
      resources = ["arn:aws:lambda:eu-west-1:111122223333:function:demo-test-reports"]
    }
  }
}

run "resources" {
  command = plan

  assert {
    condition = jsondecode(output.policy).Statement == [{
      Action   = ["lambda:InvokeFunction"]
      Effect   = "Allow"
      Resource = ["arn:aws:lambda:eu-west-1:111122223333:function:demo-test-reports"]
      Sid      = "Invoke"
    }]
    error_message = "The role must have the caller's statements and no others."
  }

  assert {
    condition = jsondecode(output.trust).Statement == [{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = { Service = ["scheduler.amazonaws.com"] }
    }]
    error_message = "Only the named service may assume the role."
  }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == null
    error_message = "Nothing bounds the role unless it is asked for."
  }
}

run "bounded" {
  command = plan

  variables {
    boundary_arn = "arn:aws:iam::111122223333:policy/demo-test-boundary"
  }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == var.boundary_arn
    error_message = "The role must carry the boundary: who applies may make no other."
  }
}

run "conditions" {
  command = plan

  variables {
    statements = {
      LendRole = {
        actions   = ["iam:PassRole"]
        condition = { StringEquals = { "iam:PassedToService" = ["emr-serverless.amazonaws.com"] } }
        resources = ["arn:aws:iam::111122223333:role/demo-test-job"]
      }
    }
    trust_condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
  }

  assert {
    condition = (
      jsondecode(output.policy).Statement[0].Condition ==
      { StringEquals = { "iam:PassedToService" = ["emr-serverless.amazonaws.com"] } }
    )
    error_message = "A statement must keep its condition."
  }

  assert {
    condition = (
      jsondecode(output.trust).Statement[0].Condition == { StringEquals = { "aws:SourceAccount" = "111122223333" } }
    )
    error_message = "The service may act for this account only."
  }
}

run "nobody" {
  command         = plan
  expect_failures = [var.services]

  variables {
    services = []
  }
}

run "person" {
  command         = plan
  expect_failures = [var.services]

  variables {
    services = ["*"]
  }
}

run "wildcard_action" {
  command         = plan
  expect_failures = [var.statements]

  variables {
    statements = {
      All = { actions = ["dynamodb:*"], resources = ["arn:aws:dynamodb:eu-west-1:111122223333:table/players"] }
    }
  }
}

run "wildcard_resource" {
  command         = plan
  expect_failures = [var.statements]

  variables {
    statements = { All = { actions = ["dynamodb:GetItem"], resources = ["*"] } }
  }
}
