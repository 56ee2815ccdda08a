locals {
  # What each role may do with each kind of asset. A group without a role for an asset does not see it.
  actions = {
    dashboard = ["quicksight:DescribeDashboard", "quicksight:ListDashboardVersions", "quicksight:QueryDashboard"]

    data_set = [
      "quicksight:DescribeDataSet", "quicksight:DescribeDataSetPermissions", "quicksight:DescribeIngestion",
      "quicksight:ListIngestions", "quicksight:PassDataSet",
    ]

    data_source = [
      "quicksight:DescribeDataSource", "quicksight:DescribeDataSourcePermissions", "quicksight:PassDataSource",
    ]
  }

  # Groups live in the region where QuickSight was subscribed to. Elsewhere they are made by hand, under these names.
  identity_region = coalesce(var.identity_region, var.account.region)
  group_names     = { for name in keys(var.groups) : name => "${var.name_prefix}-${name}" }

  group_arns = {
    for name, group_name in local.group_names : name => try(
      aws_quicksight_group.this[name].arn,
      "arn:${var.account.partition}:quicksight:${local.identity_region}:${var.account.id}:group/default/${group_name}",
    )
  }

  principals = {
    dashboard   = [for name, group in var.groups : local.group_arns[name]]
    data_set    = [for name, group in var.groups : local.group_arns[name] if group.role != "reader"]
    data_source = [for name, group in var.groups : local.group_arns[name] if group.role == "engineer"]
  }

  # As CloudFormation writes them.
  permissions = {
    for asset in ["dashboard", "data_source"] :
    asset => [for arn in local.principals[asset] : { Actions = local.actions[asset], Principal = arn }]
  }

  rules_id = "${var.name_prefix}-rules"

  rules = flatten([
    for name, group in var.groups : [
      for game in sort(group.games) : "('${local.group_names[name]}', '${game}')"
    ]
  ])
}

resource "aws_quicksight_group" "this" {
  for_each = local.identity_region == var.account.region ? var.groups : {}

  group_name = local.group_names[each.key]
}

# The query itself holds the rows. A change of the rules changes the data set, so QuickSight reads it again. A data set
# of rules must be declared as one when it is made, which the provider cannot do.
resource "aws_cloudformation_stack" "rules" {
  #checkov:skip=CKV_AWS_124: Terraform waits for the stack and reports how it ended.
  name = "${var.name_prefix}-quicksight-rules"

  template_body = jsonencode({
    Resources = {
      Rules = {
        Type = "AWS::QuickSight::DataSet"
        Properties = {
          AwsAccountId = var.account.id
          DataSetId    = local.rules_id
          ImportMode   = "SPICE"
          Name         = "${var.name_prefix} who sees which game"
          UseAs        = "RLS_RULES"
          PhysicalTableMap = {
            rules = {
              CustomSql = {
                Columns       = [for name in ["user_name", "group_name", "game_id"] : { Name = name, Type = "STRING" }]
                DataSourceArn = local.lake_source_arn
                Name          = "rules"
                SqlQuery      = <<-SQL
                  SELECT CAST(NULL AS varchar) AS user_name, group_name, nullif(game_id, '*') AS game_id
                  FROM (VALUES ${join(", ", local.rules)}) AS rules (group_name, game_id)
                SQL
              }
            }
          }
          # QuickSight knows the columns of users and groups by these names; Athena's are lower case.
          LogicalTableMap = {
            rules = {
              Alias  = "rules"
              Source = { PhysicalTableId = "rules" }
              DataTransforms = [
                for column, name in { group_name = "GroupName", user_name = "UserName" } :
                { RenameColumnOperation = { ColumnName = column, NewColumnName = name } }
              ]
            }
          }
        }
      }
    }
    Outputs = { RulesArn = { Value = { "Fn::GetAtt" = ["Rules", "Arn"] } } }
  })
}

# QuickSight reads the rules when they change; once a day more, in case that reading failed.
resource "aws_quicksight_refresh_schedule" "rules" {
  data_set_id = local.rules_id
  schedule_id = "full"

  schedule {
    refresh_type = "FULL_REFRESH"

    schedule_frequency {
      interval        = "DAILY"
      time_of_the_day = var.refresh.full_time
      timezone        = "Etc/UTC"
    }
  }

  depends_on = [aws_cloudformation_stack.rules]
}
