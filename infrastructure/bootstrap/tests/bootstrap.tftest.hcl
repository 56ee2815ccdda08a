mock_provider "aws" {
  source          = "../testing"
  override_during = plan
}

# These runs plan only: the bucket could not be destroyed after the test.
run "state" {
  command = plan

  assert {
    condition     = aws_s3_bucket.state.bucket == "player-analytics-state-111122223333"
    error_message = "The bucket is named after the account."
  }

  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "Old states must be kept."
  }

  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_server_side_encryption_configuration.state.rule :
      rule.bucket_key_enabled
      && rule.apply_server_side_encryption_by_default[0].kms_master_key_id == aws_kms_key.state.arn
    ])
    error_message = "States must be encrypted with their own key."
  }

  assert {
    condition = (
      jsondecode(aws_s3_bucket_policy.state.policy).Statement[0].Condition ==
      { Bool = { "aws:SecureTransport" = "false" } }
    )
    error_message = "Plain HTTP must be refused."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.state.block_public_acls,
      aws_s3_bucket_public_access_block.state.block_public_policy,
      aws_s3_bucket_public_access_block.state.ignore_public_acls,
      aws_s3_bucket_public_access_block.state.restrict_public_buckets,
    ])
    error_message = "Public access must be blocked in every way."
  }

  assert {
    condition     = strcontains(output.backend_config, "bucket     = \"player-analytics-state-111122223333\"")
    error_message = "The output must be what terraform init needs."
  }

  assert {
    condition = endswith(
      aws_iam_role_policy_attachment.api_gateway_logs[0].policy_arn,
      ":aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    )
    error_message = "API Gateway may write logs and nothing more."
  }
}

# tests/plan/test_boundary.py evaluates what it allows and denies.
run "boundary" {
  command = plan

  assert {
    condition = (
      output.permissions_boundaries ==
      { dev = "player-analytics-dev-boundary", prod = "player-analytics-prod-boundary" }
    )
    error_message = "Each environment has a boundary of its own, whether GitHub applies it or a person."
  }

  assert {
    condition     = alltrue([for policy in aws_iam_policy.boundary : length(policy.policy) <= 6144])
    error_message = "IAM takes 6,144 characters."
  }
}

run "without_github" {
  command = plan

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0 && output.github_roles == {}
    error_message = "Nothing may come in from GitHub unless it is asked for."
  }
}

run "service_logs" {
  command = plan

  assert {
    condition = length(aws_cloudwatch_log_group.service) == 4 && alltrue([
      for group in aws_cloudwatch_log_group.service : group.retention_in_days == 30
    ])
    error_message = "Logs that services write by themselves must expire."
  }
}

run "github" {
  command = plan

  variables {
    github = { owner_id = 1234, repository = "Studio/analytics", repository_id = 5678 }
  }

  assert {
    condition = (
      {
        for name, role in aws_iam_role.github :
        name => jsondecode(
          role.assume_role_policy
        ).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"]
      } ==
      {
        dev  = ["repo:Studio@1234/analytics@5678:environment:dev"]
        plan = ["repo:Studio@1234/analytics@5678:pull_request", "repo:Studio@1234/analytics@5678:ref:refs/heads/main"]
        prod = ["repo:Studio@1234/analytics@5678:environment:prod"]
      }
    )
    error_message = "Each role trusts these subjects and no others."
  }

  assert {
    condition = alltrue([
      for role in aws_iam_role.github :
      keys(jsondecode(role.assume_role_policy).Statement[0].Condition) == ["StringEquals"]
      && jsondecode(
        role.assume_role_policy
      ).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:aud"] ==
      "sts.amazonaws.com"
    ])
    error_message = "Subjects are compared exactly, for the audience of STS."
  }

  assert {
    condition     = endswith(aws_iam_role_policy_attachment.plan[0].policy_arn, ":aws:policy/ReadOnlyAccess")
    error_message = "A plan reads."
  }

  assert {
    condition = (
      [
        for statement in jsondecode(aws_iam_role_policy.plan[0].policy).Statement :
        "${statement.Effect} ${statement.Sid}"
      ] ==
      [
        "Allow DecryptStates", "Allow DecryptDefinitions", "Allow ReadIndexes", "Allow ReadDashboards",
        "Deny ReadNoData", "Deny ReadNoKeys", "Deny ReadNoObjectsButStatesAndPackages",
      ]
    )
    error_message = "A plan reads states and packages, and no players' data (tests/plan/test_plan_role.py)."
  }

  assert {
    condition = (
      [
        for statement in slice(jsondecode(aws_iam_role_policy.apply["dev"].policy).Statement, 0, 2) : statement.Resource
      ] ==
      [
        ["arn:aws:iam::111122223333:role/player-analytics-dev-*"],
        ["arn:aws:iam::111122223333:role/player-analytics-dev-*"],
      ]
    )
    error_message = "dev's role makes roles of dev only."
  }

  assert {
    condition = (
      jsondecode(aws_iam_role_policy.apply["dev"].policy).Statement[2].Resource ==
      ["${aws_s3_bucket.state.arn}/player-analytics/prod.tfstate*"]
    )
    error_message = "dev's role must not touch prod's state."
  }

  assert {
    condition = (
      jsondecode(aws_iam_role_policy.apply["dev"].policy).Statement[0].Action == [
        "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:GetRole", "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:PassRole",
        "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription",
      ]
    )
    error_message = "An apply does this to its roles, and nothing more."
  }

  assert {
    condition = (
      [
        jsondecode(aws_iam_role_policy.apply["dev"].policy).Statement[1].Action,
        jsondecode(aws_iam_role_policy.apply["dev"].policy).Statement[1].Condition,
      ] ==
      [
        ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"],
        { StringEquals = { "iam:PermissionsBoundary" = aws_iam_policy.boundary["dev"].arn } },
      ]
    )
    error_message = "What gives a role rights is allowed to roles within the boundary only; nothing takes it off."
  }

  assert {
    condition = (
      [
        for statement in slice(jsondecode(aws_iam_role_policy.apply["prod"].policy).Statement, 2, 4) :
        [statement.Effect, try(statement.Action, "")]
      ] ==
      [["Deny", "s3:*"], ["Deny", ""]]
    )
    error_message = "Nothing at all may be done to the other environment's state."
  }

  assert {
    condition = (
      jsondecode(aws_iam_role_policy.apply["prod"].policy).Statement[3].NotAction == [
        "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "s3:AbortMultipartUpload",
        "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject",
      ]
    )
    error_message = "Of the states' bucket and key an apply uses what Terraform's backend asks for."
  }

  assert {
    condition = (
      jsondecode(aws_iam_role_policy.apply["prod"].policy).Statement[3].Resource ==
      [aws_kms_key.state.arn, aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
    )
    error_message = "Bucket, key and every state are bootstrap's."
  }
}

# A repository that was last created, renamed or transferred before 15 July 2026.
run "names" {
  command = plan

  variables {
    github = { repository = "studio/analytics", subjects = ["names"] }
  }

  assert {
    condition = (
      local.subjects.plan == ["repo:studio/analytics:pull_request", "repo:studio/analytics:ref:refs/heads/main"]
    )
    error_message = "An older repository sends names alone."
  }
}

run "ids_and_names" {
  command = plan

  variables {
    github = { owner_id = 1234, repository = "studio/analytics", repository_id = 5678, subjects = ["ids", "names"] }
  }

  assert {
    condition = (
      local.subjects.dev == ["repo:studio@1234/analytics@5678:environment:dev", "repo:studio/analytics:environment:dev"]
    )
    error_message = "A repository that opts in is trusted before and after."
  }
}

run "shared_account" {
  command = plan

  variables {
    api_gateway_logs = false
    project          = "second"

    github = {
      oidc_provider_exists = true
      owner_id             = 1234
      repository           = "studio/analytics"
      repository_id        = 5678
    }
  }

  assert {
    condition = (
      length(aws_iam_openid_connect_provider.github) == 0
      && length(aws_api_gateway_account.this) == 0
      && length(aws_iam_role.api_gateway_logs) == 0
    )
    error_message = "What the account has once is made once."
  }

  assert {
    condition = (
      toset([for role in aws_iam_role.github : jsondecode(role.assume_role_policy).Statement[0].Principal.Federated]) ==
      toset(["arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"])
    )
    error_message = "The roles trust the provider that exists."
  }
}

run "wildcard_repository" {
  command         = plan
  expect_failures = [var.github]

  variables {
    github = { owner_id = 1234, repository = "studio/*", repository_id = 5678 }
  }
}

run "unknown_subjects" {
  command         = plan
  expect_failures = [var.github]

  variables {
    github = { owner_id = 1234, repository = "studio/analytics", repository_id = 5678, subjects = ["id"] }
  }
}

run "no_ids" {
  command         = plan
  expect_failures = [var.github]

  variables {
    github = { owner_id = 1234, repository = "studio/analytics" }
  }
}

run "long_project" {
  command         = plan
  expect_failures = [var.project]

  variables {
    project = "abcdefghijklmnopqrstuvwxy"
  }
}
