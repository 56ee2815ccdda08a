locals {
  # What each role may do with each kind of asset; who is named for none of it sees nothing.
  actions = {
    dashboard   = ["quicksight:DescribeDashboard", "quicksight:ListDashboardVersions", "quicksight:QueryDashboard"]
    data_set    = ["quicksight:DescribeDataSet", "quicksight:DescribeDataSetPermissions", "quicksight:DescribeIngestion", "quicksight:ListIngestions", "quicksight:PassDataSet"]
    data_source = ["quicksight:DescribeDataSource", "quicksight:DescribeDataSourcePermissions", "quicksight:PassDataSource"]
  }

  principals = {
    dashboard   = [for name, group in var.groups : aws_quicksight_group.this[name].arn]
    data_set    = [for name, group in var.groups : aws_quicksight_group.this[name].arn if group.role != "reader"]
    data_source = [for name, group in var.groups : aws_quicksight_group.this[name].arn if group.role == "engineer"]
  }

  # As CloudFormation writes them.
  permissions = {
    for asset in ["dashboard", "data_source"] :
    asset => [for arn in local.principals[asset] : { Actions = local.actions[asset], Principal = arn }]
  }

  rules = flatten([
    for name, group in var.groups : [
      for game in sort(group.games) : "('${aws_quicksight_group.this[name].group_name}', '${game}')"
    ]
  ])
}

resource "aws_quicksight_group" "this" {
  for_each = var.groups

  description = "Sees ${join(", ", sort(each.value.games))} as ${each.value.role}."
  group_name  = "${var.name_prefix}-${each.key}"
}

# The rows are the query itself: a change of who sees what is a change of the data set, which QuickSight then reads again.
resource "aws_quicksight_data_set" "rules" {
  data_set_id = "${var.name_prefix}-rules"
  import_mode = "SPICE"
  name        = "${var.name_prefix} who sees which game"

  physical_table_map {
    physical_table_map_id = "rules"

    custom_sql {
      data_source_arn = local.lake_source_arn
      name            = "rules"
      sql_query       = <<-SQL
        SELECT CAST(NULL AS varchar) AS user_name, group_name, nullif(game_id, '*') AS game_id
        FROM (VALUES ${join(", ", local.rules)}) AS rules (group_name, game_id)
      SQL

      dynamic "columns" {
        for_each = ["user_name", "group_name", "game_id"]

        content {
          name = columns.value
          type = "STRING"
        }
      }
    }
  }

  # QuickSight knows the columns of users and groups by these names; Athena's are lower case.
  logical_table_map {
    alias                = "rules"
    logical_table_map_id = "rules"

    source {
      physical_table_id = "rules"
    }

    dynamic "data_transforms" {
      for_each = { user_name = "UserName", group_name = "GroupName" }

      content {
        rename_column_operation {
          column_name     = data_transforms.key
          new_column_name = data_transforms.value
        }
      }
    }
  }
}
