locals {
  # Written by scripts/schemas from visuals.csv and event-schemas/metrics.json.
  described = jsondecode(file("${path.module}/definition.json"))

  # Today is not over: a KPI would compare it with a whole day.
  days = {
    From = "addDateTime(-${var.defaults.days}, 'DD', truncDate('DD', now()))"
    To   = "addDateTime(-1, 'DD', truncDate('DD', now()))"
  }

  choices = { Currency = compact([var.defaults.currency]), Game = compact([var.defaults.game]) }

  definition = merge(local.described, {
    DataSetIdentifierDeclarations = [
      for name, data_set in aws_quicksight_data_set.gold : { DataSetArn = data_set.arn, Identifier = name }
    ]

    ParameterDeclarations = concat(
      local.described.ParameterDeclarations,
      [for name, expression in local.days : { DateTimeParameterDeclaration = {
        DefaultValues   = { RollingDate = { Expression = expression } }
        Name            = name
        TimeGranularity = "DAY"
      } }],
      # QuickSight takes no empty list of defaults.
      [for name, values in local.choices : { StringParameterDeclaration = merge(
        { Name = name, ParameterValueType = "SINGLE_VALUED" },
        { for key in slice(["DefaultValues"], 0, length(values)) : key => { StaticValues = values } },
      ) }],
    )
  })
}

# CloudFormation takes 51,200 bytes in a request and 1 MB from a bucket.
resource "aws_s3_object" "template" {
  bucket                 = var.lake.bucket
  content_type           = "application/json"
  key                    = "artifacts/quicksight.json"
  kms_key_id             = var.kms_key_arn
  server_side_encryption = "aws:kms"

  content = jsonencode({
    Resources = {
      Dashboard = {
        Type = "AWS::QuickSight::Dashboard"
        Properties = {
          AwsAccountId       = var.account.id
          DashboardId        = "${var.name_prefix}-history"
          Definition         = local.definition
          Name               = "${var.name_prefix} history"
          Permissions        = local.permissions.dashboard
          ValidationStrategy = { Mode = "STRICT" }
        }
      }
    }
  })
}

# The provider's own resource fails to read what QuickSight answers (docs/adr/0012-dashboards-as-a-stack.md).
resource "aws_cloudformation_stack" "dashboard" {
  #checkov:skip=CKV_AWS_124: Terraform waits for the stack and reports how it ended.
  name = "${var.name_prefix}-quicksight"

  template_url = join("", [
    "https://${var.lake.bucket}.s3.${var.account.region}.amazonaws.com/",
    "${aws_s3_object.template.key}?versionId=${aws_s3_object.template.version_id}",
  ])
}
