locals {
  # Written by scripts/schemas from event-schemas: the type of each column of each gold table.
  tables = jsondecode(file("${path.module}/tables.json"))

  # Events come up to 31 days late, and cohorts change for 90 days: what is older changes only by a backfill.
  lookback_days = { cohort_date = 31 + 90 + 1, event_date = 31 + 1 }

  day_columns = {
    for name, columns in local.tables : name => contains(keys(columns), "event_date") ? "event_date" : "cohort_date"
  }

  lake_source_arn = aws_cloudformation_stack.lake_source.outputs["Arn"]
}

# The provider cannot name the role of a data source: without it QuickSight would use one role for the whole account.
resource "aws_cloudformation_stack" "lake_source" {
  #checkov:skip=CKV_AWS_124: Terraform waits for the stack and reports how it ended.
  name = "${var.name_prefix}-quicksight-lake-source"

  template_body = jsonencode({
    Resources = {
      DataSource = {
        Type = "AWS::QuickSight::DataSource"
        Properties = merge(
          {
            AwsAccountId = var.account.id
            DataSourceId = "${var.name_prefix}-lake"
            Name         = "${var.name_prefix} lake"
            Type         = "ATHENA"

            DataSourceParameters = {
              AthenaParameters = { RoleArn = module.lake_role.arn, WorkGroup = var.lake.workgroup }
            }
          },
          { for name, value in { Permissions = local.permissions.data_source } : name => value if length(value) > 0 },
        )
      }
    }
    Outputs = { Arn = { Value = { "Fn::GetAtt" = ["DataSource", "Arn"] } } }
  })
}

resource "aws_quicksight_data_set" "gold" {
  for_each = local.tables

  data_set_id = "${var.name_prefix}-${replace(each.key, "_", "-")}"
  import_mode = "SPICE"
  name        = "${var.name_prefix} ${each.key}"

  physical_table_map {
    physical_table_map_id = replace(each.key, "_", "-")

    relational_table {
      catalog         = "AwsDataCatalog"
      data_source_arn = local.lake_source_arn
      name            = each.key
      schema          = var.lake.database

      dynamic "input_columns" {
        for_each = each.value

        content {
          name = input_columns.key
          type = input_columns.value
        }
      }
    }
  }

  dynamic "permissions" {
    for_each = local.principals.data_set

    content {
      actions   = local.actions.data_set
      principal = permissions.value
    }
  }

  refresh_properties {
    refresh_configuration {
      incremental_refresh {
        lookback_window {
          column_name = local.day_columns[each.key]
          size        = local.lookback_days[local.day_columns[each.key]]
          size_unit   = "DAY"
        }
      }
    }
  }

  row_level_permission_data_set {
    arn               = aws_cloudformation_stack.rules.outputs["RulesArn"]
    format_version    = "VERSION_1"
    namespace         = "default"
    permission_policy = "GRANT_ACCESS"
    status            = "ENABLED"
  }
}

resource "aws_quicksight_refresh_schedule" "incremental" {
  for_each = aws_quicksight_data_set.gold

  data_set_id = each.value.data_set_id
  schedule_id = "incremental"

  schedule {
    refresh_type = "INCREMENTAL_REFRESH"

    schedule_frequency {
      interval = var.refresh.interval
    }
  }
}

resource "aws_quicksight_refresh_schedule" "full" {
  for_each = aws_quicksight_data_set.gold

  data_set_id = each.value.data_set_id
  schedule_id = "full"

  schedule {
    refresh_type = "FULL_REFRESH"

    schedule_frequency {
      interval        = "WEEKLY"
      time_of_the_day = var.refresh.full_time
      timezone        = "Etc/UTC"

      refresh_on_day {
        day_of_week = var.refresh.full_day
      }
    }
  }
}
