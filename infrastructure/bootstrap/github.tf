# GitHub Actions takes roles by OIDC: no key of the account leaves it. Each role trusts exact subjects of one repository.
locals {
  github  = "token.actions.githubusercontent.com"
  iam     = "arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}"
  enabled = var.github_repository != ""
  subjects = {
    plan = ["repo:${var.github_repository}:pull_request", "repo:${var.github_repository}:ref:refs/heads/main"]
    dev  = ["repo:${var.github_repository}:environment:dev"]
    prod = ["repo:${var.github_repository}:environment:prod"]
  }
  apply = toset(["dev", "prod"])
}

resource "aws_iam_openid_connect_provider" "github" {
  count = local.enabled ? 1 : 0

  url            = "https://${local.github}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "github" {
  for_each = local.enabled ? local.subjects : {}

  name                 = "${var.project}-github-${each.key}"
  description          = each.key == "plan" ? "Plans of pull requests and drift: reads." : "Applies ${each.key}."
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = aws_iam_openid_connect_provider.github[0].arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.github}:aud" = "sts.amazonaws.com"
          "${local.github}:sub" = each.value
        }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "plan" {
  count = local.enabled ? 1 : 0

  role       = aws_iam_role.github["plan"].name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/ReadOnlyAccess"
}

# Plans compare definitions: what tables, objects, secrets and queues hold is none of their business, but for the states.
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
        Sid      = "ReadNoTables"
        Effect   = "Deny"
        Action   = ["athena:GetQueryResults", "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "kinesis:GetRecords", "sqs:ReceiveMessage"]
        Resource = "*"
      },
      {
        # Terraform looks at the packages it has put beside the lake.
        Sid         = "ReadNoObjectsButStatesAndPackages"
        Effect      = "Deny"
        Action      = ["s3:GetObject", "s3:GetObjectVersion"]
        NotResource = ["${aws_s3_bucket.state.arn}/*", "arn:${data.aws_partition.this.partition}:s3:::${var.project}-*/artifacts/*"]
      },
    ]
  })
}

# Terraform makes resources of two dozen services: those are the service's, while roles are bound to the environment's names.
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
            "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:PassRole", "iam:TagRole",
            "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
          ]
          Resource = ["${local.iam}:role/${var.project}-${each.key}-*"]
        },
        {
          # Else whoever can change main could give a role every right, and take it.
          Sid       = "BoundedRoles"
          Effect    = "Allow"
          Action    = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
          Resource  = ["${local.iam}:role/${var.project}-${each.key}-*"]
          Condition = { StringEquals = { "iam:PermissionsBoundary" = aws_iam_policy.boundary[each.key].arn } }
        },
        {
          Sid      = "NoForeignStates"
          Effect   = "Deny"
          Action   = "s3:*"
          Resource = [for other in local.others[each.key] : "${aws_s3_bucket.state.arn}/${var.project}/${other}.tfstate*"]
        },
        {
          # What Terraform's backend asks of bucket and key; all else of them is bootstrap's.
          Sid       = "NoBootstrap"
          Effect    = "Deny"
          NotAction = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]
          Resource  = [aws_kms_key.state.arn, aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
        },
      ],
      local.foreign[each.key],
    )
  })
}
