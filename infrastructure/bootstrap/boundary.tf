# Permissions boundary of an environment's roles. An apply role cannot make a role without it (github.tf).
locals {
  arn = "arn:${data.aws_partition.this.partition}"

  # Audit services of the account: nobody may change things and hide it.
  audit = [
    "cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors", "cloudtrail:StopLogging", "cloudtrail:UpdateTrail",
    "config:DeleteConfigurationRecorder", "config:DeleteDeliveryChannel", "config:PutConfigurationRecorder",
    "config:StopConfigurationRecorder", "guardduty:DeleteDetector", "guardduty:UpdateDetector",
  ]

  # ARNs of resources with the environment's name. IAM accepts no wildcard for a service, no region for IAM and S3,
  # and no account for S3. Tags identify resources without names, such as keys and APIs.
  named_resources = concat(
    [
      for service in [
        "athena", "cloudwatch", "dynamodb", "events", "firehose", "kinesis", "kinesisanalytics", "lambda", "logs",
        "scheduler", "secretsmanager", "sns", "sqs", "states",
      ] : "${service}:*:*:*"
    ],
    ["iam::*:policy/*", "iam::*:role/*", "s3:::*"],
  )

  others = { for name in local.apply : name => setsubtract(local.apply, [name]) }

  # Resources of the other environment: no role of this environment may change them.
  foreign = {
    for name, others in local.others : name => [
      {
        Sid    = "NoForeignNames"
        Effect = "Deny"
        Action = "*"
        Resource = flatten([for other in others : concat(
          [for resource in local.named_resources : "${local.arn}:${resource}${var.project}-${other}*"],
          ["${local.arn}:glue:*:*:*${replace("${var.project}-${other}", "-", "_")}*"],
        )])
      },
      {
        Sid      = "NoForeignTags"
        Effect   = "Deny"
        Action   = "*"
        Resource = "*"
        Condition = {
          StringEquals = { "aws:ResourceTag/environment" = others, "aws:ResourceTag/project" = var.project }
        }
      },
      {
        Sid      = "NoSilence"
        Effect   = "Deny"
        Action   = local.audit
        Resource = "*"
      },
    ]
  }
}

resource "aws_iam_policy" "boundary" {
  for_each = local.apply

  name        = "${var.project}-${each.key}-boundary"
  description = "The most that a role of ${each.key} may do."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid    = "UseServices"
          Effect = "Allow"
          Action = concat(
            [for service in [
              "athena", "cloudwatch", "dynamodb", "emr-serverless", "events", "firehose", "glue", "kinesis",
              "kinesisanalytics", "kms", "logs", "redshift-data", "redshift-serverless", "s3", "secretsmanager",
              "ses", "sns", "sqs", "states", "xray",
            ] : "${service}:*"],
            [
              "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
              "ec2:Describe*", "ec2:ModifyNetworkInterfaceAttribute", "lambda:GetFunctionConfiguration",
              "lambda:InvokeFunction", "lambda:ListEventSourceMappings",
            ],
          )
          Resource = "*"
        },
        {
          Sid      = "LendOwnRoles"
          Effect   = "Allow"
          Action   = "iam:PassRole"
          Resource = "${local.iam}:role/${var.project}-${each.key}-*"
        },
        {
          Sid      = "NoStates"
          Effect   = "Deny"
          Action   = "*"
          Resource = [aws_kms_key.state.arn, aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
        },
      ],
      local.foreign[each.key],
    )
  })
}
