locals {
  sheets = [for sheet in distinct(csvdecode(file("${path.module}/visuals.csv"))[*].sheet) : {
    id   = replace(lower(sheet), "/[^a-z0-9]+/", "-")
    name = sheet
  }]

  definition = {
    CalculatedFields = flatten([for table, fields in local.calculations : [
      for name, expression in fields : { DataSetIdentifier = table, Expression = expression, Name = name }
    ]])
    ColumnConfigurations = [
      for column in distinct(flatten([for visual in local.visuals : [
        for name in visual.values : { ColumnName = name, DataSetIdentifier = visual.table } if contains(local.percentages, name)
      ]])) :
      {
        Column = column
        FormatConfiguration = { NumberFormatConfiguration = { FormatConfiguration = {
          PercentageDisplayFormatConfiguration = { DecimalPlacesConfiguration = { DecimalPlaces = 1 } }
        } } }
      }
    ]
    DataSetIdentifierDeclarations = [
      for name, data_set in aws_quicksight_data_set.gold : { DataSetArn = data_set.arn, Identifier = name }
    ]
    FilterGroups          = local.filter_groups
    ParameterDeclarations = local.parameter_declarations
    Sheets = [for sheet in local.sheets : {
      ContentType       = "INTERACTIVE"
      Layouts           = [{ Configuration = { GridLayout = { Elements = local.layouts[sheet.id] } } }]
      Name              = sheet.name
      ParameterControls = local.controls[sheet.id]
      SheetControlLayouts = [{ Configuration = { GridLayout = { Elements = [
        for control in local.controls[sheet.id] :
        { ColumnSpan = 2, ElementId = one(values(control)).ParameterControlId, ElementType = "PARAMETER_CONTROL", RowSpan = 1 }
      ] } } }]
      SheetId = sheet.id
      Visuals = [for visual in local.visuals : {
        for kind, configuration in local.charts[visual.id] : kind => {
          ChartConfiguration = configuration
          Title              = { FormatText = { PlainText = visual.title }, Visibility = "VISIBLE" }
          VisualId           = visual.id
        }
      } if visual.sheet == sheet.id]
    }]
  }
}

# CloudFormation takes 51,200 bytes by itself and 1 MB from a bucket.
resource "aws_s3_object" "template" {
  bucket                 = var.lake.bucket
  content_type           = "application/json"
  key                    = "artifacts/dashboards.json"
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
  name         = "${var.name_prefix}-dashboards"
  template_url = "https://${var.lake.bucket}.s3.${var.account.region}.amazonaws.com/${aws_s3_object.template.key}?versionId=${aws_s3_object.template.version_id}"
}
