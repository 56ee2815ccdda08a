# GitHub Actions takes roles by OIDC, so that no access key leaves the account. Each role trusts exact subjects of one
# repository.
locals {
  github        = "token.actions.githubusercontent.com"
  iam           = "arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}"
  enabled       = var.github.repository != ""
  oidc_provider = "${local.iam}:oidc-provider/${local.github}"

  # Repositories that were created, renamed or transferred since July 2026 send ids beside the names, so that nobody
  # who takes over a name takes over its roles.
  parts = split("/", var.github.repository)
  prefixes = local.enabled ? [
    for subject in sort(var.github.subjects) : subject == "names" ? "repo:${var.github.repository}" : join("", [
      "repo:${local.parts[0]}@${var.github.owner_id}", "/${local.parts[1]}@${var.github.repository_id}",
    ])
  ] : []

  contexts = {
    plan = ["pull_request", "ref:refs/heads/main"]
    dev  = ["environment:dev"]
    prod = ["environment:prod"]
  }
  subjects = {
    for role, contexts in local.contexts :
    role => [for pair in setproduct(local.prefixes, contexts) : join(":", pair)] if local.enabled
  }
  apply   = toset(["dev", "prod"])
  catalog = replace(var.project, "-", "_")
}

resource "aws_iam_openid_connect_provider" "github" {
  count = local.enabled && !var.github.oidc_provider_exists ? 1 : 0

  url            = "https://${local.github}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "github" {
  #checkov:skip=CKV_AWS_393:The subjects are exact; checkov cannot read a list that Terraform computes.
  for_each = local.subjects

  name                 = "${var.project}-github-${each.key}"
  description          = each.key == "plan" ? "Plans of pull requests and drift: reads." : "Applies ${each.key}."
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.oidc_provider }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.github}:aud" = "sts.amazonaws.com"
          "${local.github}:sub" = each.value
        }
      }
    }]
  })

  depends_on = [aws_iam_openid_connect_provider.github]
}

resource "aws_iam_role_policy_attachment" "plan" {
  count = local.enabled ? 1 : 0

  role       = aws_iam_role.github["plan"].name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/ReadOnlyAccess"
}

# Plans compare definitions. Except for the states, they read no contents of tables, objects, streams, queues and
# logs, and no keys of games. tests/plan/test_plan_role.py lists what the provider reads of each resource.
resource "aws_iam_role_policy" "plan" {
  count = local.enabled ? 1 : 0

  name = "states-and-no-data"
  role = aws_iam_role.github["plan"].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "DecryptStates"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [aws_kms_key.state.arn]
      },
      {
        # Lambda, Step Functions and Scheduler describe encrypted settings only to a caller that may decrypt them.
        Sid      = "DecryptDefinitions"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = ["arn:${data.aws_partition.this.partition}:kms:*:${data.aws_caller_identity.this.account_id}:key/*"]
        Condition = {
          "ForAnyValue:StringEquals" = {
            "kms:ResourceAliases" = [for environment in local.apply : "alias/${var.project}-${environment}-operations"]
          }
          StringLike = {
            "kms:ViaService" = [for service in ["lambda", "scheduler", "states"] : "${service}.*.amazonaws.com"]
          }
        }
      },
      {
        # The provider reads the indexes of every table; ReadOnlyAccess lacks the action.
        Sid    = "ReadIndexes"
        Effect = "Allow"
        Action = ["glue:GetPartitionIndexes"]
        Resource = [for resource in ["catalog", "database/${local.catalog}_*", "table/${local.catalog}_*"] :
          "arn:${data.aws_partition.this.partition}:glue:*:${data.aws_caller_identity.this.account_id}:${resource}"
        ]
      },
      {
        # ReadOnlyAccess has no actions of QuickSight.
        Sid    = "ReadDashboards"
        Effect = "Allow"
        Action = [
          "quicksight:DescribeDataSet", "quicksight:DescribeDataSetPermissions",
          "quicksight:DescribeDataSetRefreshProperties", "quicksight:DescribeDataSource",
          "quicksight:DescribeDataSourcePermissions", "quicksight:DescribeGroup",
          "quicksight:DescribeRefreshSchedule", "quicksight:DescribeVPCConnection", "quicksight:ListTagsForResource",
        ]
        Resource = [for resource in ["dataset/*", "datasource/*", "group/*", "vpcConnection/*"] :
          "arn:${local.partition}:quicksight:*:${local.account_id}:${resource}"
        ]
      },
      {
        Sid    = "ReadNoData"
        Effect = "Deny"
        Action = [
          "athena:GetQueryResults", "athena:GetQueryResultsStream", "cognito-idp:AdminGetDevice",
          "cognito-idp:AdminGetUser", "cognito-idp:AdminListDevices", "cognito-idp:AdminListGroupsForUser",
          "cognito-idp:AdminListUserAuthEvents", "cognito-idp:ListUsers", "cognito-idp:ListUsersInGroup",
          "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:GetRecords", "dynamodb:PartiQLDelete",
          "dynamodb:PartiQLInsert", "dynamodb:PartiQLSelect", "dynamodb:PartiQLUpdate", "dynamodb:Query",
          "dynamodb:ReadDataForReplication", "dynamodb:Scan",
          "emr-serverless:GetDashboardForJobRun", "kinesis:GetRecords",
          "kinesisanalytics:DiscoverInputSchema", "lambda:GetDurableExecution", "lambda:GetDurableExecutionHistory",
          "lambda:GetDurableExecutionState", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:GetLogRecord",
          "logs:GetQueryResults", "logs:StartLiveTail", "logs:StartQuery", "s3:GetDataAccess", "sqs:ReceiveMessage",
          "ssm:GetParameter", "ssm:GetParameterHistory", "ssm:GetParameters", "ssm:GetParametersByPath",
          "states:DescribeExecution", "states:GetExecutionHistory", "wafv2:GetDecryptedAPIKey",
          "wafv2:GetSampledRequests", "xray:BatchGetTraces", "xray:ListRetrievedTraces", "xray:StartTraceRetrieval",
        ]
        Resource = "*"
      },
      {
        Sid    = "ReadNoKeys"
        Effect = "Deny"
        Action = ["apigateway:GET"]
        Resource = [for resource in ["apikeys", "apikeys/*", "usageplans/*/keys", "usageplans/*/keys/*"] :
          "arn:${data.aws_partition.this.partition}:apigateway:*::/${resource}"
        ]
      },
      {
        # Terraform reads the packages that it wrote to the lake's bucket.
        Sid    = "ReadNoObjectsButStatesAndPackages"
        Effect = "Deny"
        Action = [
          "s3:GetObject", "s3:GetObjectTorrent", "s3:GetObjectVersion", "s3:GetObjectVersionForReplication",
          "s3:GetObjectVersionTorrent",
        ]
        NotResource = [
          "${aws_s3_bucket.state.arn}/*",
          "arn:${data.aws_partition.this.partition}:s3:::${var.project}-*/artifacts/*",
        ]
      },
    ]
  })
}

# Terraform makes resources of two dozen services, so whole services are allowed. Roles are limited to the names of
# the environment.
resource "aws_iam_role_policy_attachment" "apply" {
  for_each = local.enabled ? local.apply : []

  role       = aws_iam_role.github[each.key].name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/PowerUserAccess"
}

resource "aws_iam_role_policy" "apply" {
  for_each = local.enabled ? local.apply : []

  name = "roles-of-${each.key}"
  role = aws_iam_role.github[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid    = "OwnRoles"
          Effect = "Allow"
          Action = [
            "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:GetRole", "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:PassRole",
            "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
            "iam:UpdateRoleDescription",
          ]
          Resource = ["${local.iam}:role/${var.project}-${each.key}-*"]
        },
        {
          # Otherwise a person who can change main could give a role every permission and assume it.
          Sid       = "BoundedRoles"
          Effect    = "Allow"
          Action    = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
          Resource  = ["${local.iam}:role/${var.project}-${each.key}-*"]
          Condition = { StringEquals = { "iam:PermissionsBoundary" = aws_iam_policy.boundary[each.key].arn } }
        },
        {
          Sid    = "NoForeignStates"
          Effect = "Deny"
          Action = "s3:*"
          Resource = [
            for other in local.others[each.key] : "${aws_s3_bucket.state.arn}/${var.project}/${other}.tfstate*"
          ]
        },
        {
          # The Terraform backend needs these actions on the bucket and the key. bootstrap does everything else.
          Sid    = "NoBootstrap"
          Effect = "Deny"
          NotAction = [
            "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "s3:AbortMultipartUpload",
            "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject",
          ]
          Resource = [aws_kms_key.state.arn, aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
        },
      ],
      local.foreign[each.key],
    )
  })
}
