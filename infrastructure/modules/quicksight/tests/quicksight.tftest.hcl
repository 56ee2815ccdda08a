mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account     = { id = "111122223333", partition = "aws", region = "eu-west-1" }
  kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/example"
  lake        = { bucket = "lake", database = "demo_test_lake", workgroup = "demo-test-analysts" }
  name_prefix = "demo-test"

  groups = {
    analysts  = { games = ["*"], role = "author" }
    builders  = { games = ["*"], role = "engineer" }
    producers = { games = ["kart", "skyforge"], role = "reader" }
  }
}

run "resources" {
  command = plan

  assert {
    condition = (
      jsondecode(aws_cloudformation_stack.lake_source.template_body)
      .Resources.DataSource.Properties.DataSourceParameters
      ) == {
      AthenaParameters = { RoleArn = module.lake_role.arn, WorkGroup = "demo-test-analysts" }
    }
    error_message = "QuickSight must query Athena with the module's role, in the workgroup that limits queries."
  }

  assert {
    condition = {
      for statement in jsondecode(module.lake_role.policy).Statement : statement.Sid => statement.Action
      } == {
      Decrypt     = ["kms:Decrypt", "kms:GenerateDataKey"]
      FindFiles   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
      KeepAnswers = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]
      Query = [
        "athena:BatchGetQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults",
        "athena:GetQueryResultsStream", "athena:GetWorkGroup", "athena:StartQueryExecution",
        "athena:StopQueryExecution",
      ]
      ReadCatalog = [
        "athena:GetDataCatalog", "athena:GetDatabase", "athena:GetTableMetadata", "athena:ListDatabases",
        "athena:ListTableMetadata",
      ]
      ReadGold   = ["s3:GetObject"]
      ReadTables = ["glue:GetDatabase", "glue:GetDatabases", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"]
    }
    error_message = "The role queries gold and stores the results. It has no other right."
  }

  assert {
    condition = {
      for statement in jsondecode(module.lake_role.policy).Statement : statement.Sid => statement.Resource
      if strcontains(statement.Action[0], "s3:")
      } == {
      FindFiles   = ["arn:aws:s3:::lake"]
      KeepAnswers = ["arn:aws:s3:::lake/athena-results/*"]
      ReadGold    = ["arn:aws:s3:::lake/gold/*"]
    }
    error_message = "The role reads gold alone: silver and bronze hold players' events."
  }

  assert {
    condition = jsondecode(module.lake_role.trust).Statement == [{
      Effect    = "Allow"
      Principal = { Service = ["quicksight.amazonaws.com"] }
      Action    = "sts:AssumeRole"
    }]
    error_message = "Only QuickSight may assume the role, under no condition that AWS does not document for it."
  }

  assert {
    condition = alltrue([for data_set in values(aws_quicksight_data_set.gold) : (
      data_set.import_mode == "SPICE"
      && data_set.row_level_permission_data_set[0].arn == aws_cloudformation_stack.rules.outputs["RulesArn"]
      && data_set.row_level_permission_data_set[0].status == "ENABLED"
      && can(regex("^[0-9a-zA-Z-]+$", one(data_set.physical_table_map).physical_table_map_id))
      && data_set.row_level_permission_data_set[0].permission_policy == "GRANT_ACCESS"
      && one(data_set.physical_table_map).relational_table[0].schema == "demo_test_lake"
    )])
    error_message = "Every table of gold is imported into SPICE, and the rules apply to each."
  }

  assert {
    condition = {
      for name, data_set in aws_quicksight_data_set.gold : name => [
        for window in data_set.refresh_properties[0].refresh_configuration[0].incremental_refresh[0].lookback_window :
        "${window.column_name} ${window.size} ${window.size_unit}"
      ]
      } == {
      acquisition        = ["event_date 32 DAY"]
      acquisition_value  = ["event_date 32 DAY"]
      ads                = ["event_date 32 DAY"]
      daily              = ["event_date 32 DAY"]
      design             = ["event_date 32 DAY"]
      economy            = ["event_date 32 DAY"]
      experiment_design  = ["event_date 32 DAY"]
      experiment_revenue = ["event_date 32 DAY"]
      experiments        = ["event_date 32 DAY"]
      lifetime_value     = ["cohort_date 122 DAY"]
      matches            = ["event_date 32 DAY"]
      performance        = ["event_date 32 DAY"]
      performance_bins   = ["event_date 32 DAY"]
      progression        = ["event_date 32 DAY"]
      retention          = ["cohort_date 122 DAY"]
      revenue            = ["event_date 32 DAY"]
      stability          = ["event_date 32 DAY"]
      total_revenue      = ["event_date 32 DAY"]
      tutorial           = ["event_date 32 DAY"]
    }
    error_message = "An incremental refresh must reach back as far as late events and open cohorts do."
  }

  assert {
    condition = (
      keys(aws_quicksight_refresh_schedule.incremental) == keys(aws_quicksight_data_set.gold)
      && alltrue([
        for refresh in values(aws_quicksight_refresh_schedule.incremental) : (
          refresh.schedule[0].refresh_type == "INCREMENTAL_REFRESH"
          && refresh.schedule[0].schedule_frequency[0].interval == "HOURLY"
        )
      ])
      && alltrue([
        for refresh in values(aws_quicksight_refresh_schedule.full) : (
          refresh.schedule[0].refresh_type == "FULL_REFRESH"
          && refresh.schedule[0].schedule_frequency[0].refresh_on_day[0].day_of_week == "SUNDAY"
        )
      ])
    )
    error_message = "Every data set is refreshed each hour, and read again in full each week."
  }

  assert {
    condition = (
      jsondecode(aws_cloudformation_stack.rules.template_body)
      .Resources.Rules.Properties.PhysicalTableMap.rules.CustomSql.SqlQuery
      ) == join("", [
        "SELECT CAST(NULL AS varchar) AS user_name, group_name, nullif(game_id, '*') AS game_id\n",
        "FROM (VALUES ('demo-test-analysts', '*'), ('demo-test-builders', '*'), ('demo-test-producers', 'kart'), ",
        "('demo-test-producers', 'skyforge')) AS rules (group_name, game_id)\n",
    ])
    error_message = "A group sees the games that its rules name; a rule without a game (null) shows all games."
  }

  assert {
    condition = (
      jsondecode(aws_cloudformation_stack.rules.template_body).Resources.Rules.Properties.UseAs == "RLS_RULES"
    )
    error_message = "QuickSight accepts a data set of rules only if it is declared as one."
  }

  assert {
    condition = (
      jsondecode(aws_cloudformation_stack.rules.template_body)
      .Resources.Rules.Properties.LogicalTableMap.rules.DataTransforms[*].RenameColumnOperation
      ) == [
      { ColumnName = "group_name", NewColumnName = "GroupName" },
      { ColumnName = "user_name", NewColumnName = "UserName" },
    ]
    error_message = "QuickSight looks for the columns UserName and GroupName."
  }

  assert {
    condition = (
      length(local.principals.dashboard) == 3
      && length(local.principals.data_set) == 2
      && length(local.principals.data_source) == 1
    )
    error_message = "All read the dashboard, authors and engineers use data sets, engineers alone data sources."
  }

  assert {
    condition = (
      jsondecode(aws_s3_object.template.content).Resources.Dashboard.Properties.Permissions[*].Actions
      == [for group in var.groups : local.actions.dashboard]
    )
    error_message = "Every group has the actions on the dashboard, and no others."
  }

  assert {
    condition = alltrue(flatten([
      for data_set in values(aws_quicksight_data_set.gold) : [
        for permission in data_set.permissions : permission.actions == toset(local.actions.data_set)
      ]
    ]))
    error_message = "Authors and engineers have the actions on data sets, and no others."
  }

  assert {
    condition = (
      jsondecode(aws_cloudformation_stack.lake_source.template_body)
      .Resources.DataSource.Properties.Permissions[*].Actions
    ) == [local.actions.data_source]
    error_message = "Engineers have the actions on the data source, and no others."
  }

  assert {
    condition = alltrue([
      for action in flatten(values(local.actions)) : can(regex("^quicksight:(Describe|List|Pass|Query)", action))
    ])
    error_message = "Groups may read and use assets. They may not change, delete or share any."
  }

  assert {
    condition     = aws_s3_object.template.kms_key_id == var.kms_key_arn
    error_message = "The template must be encrypted with the key of the lake."
  }

  assert {
    condition = aws_cloudformation_stack.dashboard.template_url == join("", [
      "https://lake.s3.eu-west-1.amazonaws.com/artifacts/quicksight.json",
      "?versionId=${aws_s3_object.template.version_id}",
    ])
    error_message = "The stack must name the template's version, so that a change reaches QuickSight."
  }

  assert {
    condition     = !strcontains(aws_s3_object.template.content, "DefaultValues\":{\"StaticValues\":[]")
    error_message = "A parameter without a default must have no list of defaults: readers choose their game first."
  }

  assert {
    condition = (
      output.dashboard_id == jsondecode(aws_s3_object.template.content).Resources.Dashboard.Properties.DashboardId
      && output.groups.producers == "demo-test-producers"
    )
    error_message = "The outputs must name the dashboard and the groups as QuickSight has them."
  }

  assert {
    condition = (
      length(aws_quicksight_data_source.warehouse) == 0
      && length(aws_quicksight_vpc_connection.this) == 0
      && length(module.network_role) == 0
    )
    error_message = "Without a warehouse there must be no data source, connection or role for it."
  }
}

run "users_of_another_region" {
  command = plan

  variables {
    identity_region = "us-east-1"
  }

  assert {
    condition     = length(aws_quicksight_group.this) == 0 && output.groups.producers == "demo-test-producers"
    error_message = "Groups of another region are made by hand, under the same names."
  }

  assert {
    condition = jsondecode(aws_s3_object.template.content).Resources.Dashboard.Properties.Permissions[*].Principal == [
      for name in keys(var.groups) : "arn:aws:quicksight:us-east-1:111122223333:group/default/demo-test-${name}"
    ]
    error_message = "The dashboard is for the groups of the identity region."
  }
}

run "without_engineers" {
  command = plan

  variables {
    groups = { producers = { games = ["*"], role = "reader" } }
  }

  assert {
    condition = !can(
      jsondecode(aws_cloudformation_stack.lake_source.template_body).Resources.DataSource.Properties.Permissions
    )
    error_message = "QuickSight refuses an empty list of permissions."
  }

  assert {
    condition     = alltrue([for data_set in values(aws_quicksight_data_set.gold) : length(data_set.permissions) == 0])
    error_message = "Readers see the dashboard only."
  }
}

run "defaults" {
  command = plan

  variables {
    defaults = { currency = "EUR", days = 90, game = "skyforge" }
  }

  assert {
    condition = {
      for parameter in flatten([
        for declaration in(
          jsondecode(aws_s3_object.template.content).Resources.Dashboard.Properties.Definition.ParameterDeclarations
        ) : values(declaration)
      ]) :
      parameter.Name => try(parameter.DefaultValues.StaticValues[0], parameter.DefaultValues.RollingDate.Expression)
      } == {
      Country  = "*"
      Currency = "EUR"
      From     = "addDateTime(-90, 'DD', truncDate('DD', now()))"
      Game     = "skyforge"
      Measure  = "fps"
      Platform = "*"
      To       = "addDateTime(-1, 'DD', truncDate('DD', now()))"
      Version  = "*"
    }
    error_message = <<-TEXT
      The dashboard must open with the game, currency and days of the variable, and with all platforms, countries and
      versions.
    TEXT
  }
}

run "warehouse" {
  command = plan

  variables {
    warehouse = {
      credentials_secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:quicksight"
      database               = "analytics"
      host                   = "demo.111122223333.eu-west-1.redshift-serverless.amazonaws.com"
      security_group_ids     = ["sg-0example"]
      subnet_ids             = ["subnet-0one", "subnet-0two"]
    }
  }

  assert {
    condition = (
      one(values(aws_quicksight_data_source.warehouse)).vpc_connection_properties[0].vpc_connection_arn
      == one(values(aws_quicksight_vpc_connection.this)).arn
      && one(values(aws_quicksight_data_source.warehouse)).credentials[0].secret_arn
      == var.warehouse.credentials_secret_arn
      && !one(values(aws_quicksight_data_source.warehouse)).ssl_properties[0].disable_ssl
      && one(values(aws_quicksight_data_source.warehouse)).parameters[0].redshift[0].port == 5439
    )
    error_message = "The warehouse is reached inside its network, with a secret and TLS."
  }

  assert {
    condition = {
      for statement in jsondecode(module.network_role["warehouse"].policy).Statement :
      statement.Sid => [statement.Action, statement.Resource]
      } == {
      DescribeNetwork = [["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets"], ["*"]]
      KeepInterfaces = [
        ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute"],
        [
          "arn:aws:ec2:eu-west-1:111122223333:network-interface/*",
          "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0example",
          "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0one",
          "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0two",
        ],
      ]
    }
    error_message = "The connection manages network interfaces in its subnets. It has no other right."
  }
}

run "currency_unknown" {
  command         = plan
  expect_failures = [var.defaults]

  variables {
    defaults = { currency = "euro" }
  }
}

run "days_in_parts" {
  command         = plan
  expect_failures = [var.defaults]

  variables {
    defaults = { days = 0.5 }
  }
}

run "role_unknown" {
  command         = plan
  expect_failures = [var.groups]

  variables {
    groups = { analysts = { games = ["*"], role = "owner" } }
  }
}

run "game_that_would_break_the_query" {
  command         = plan
  expect_failures = [var.groups]

  variables {
    groups = { analysts = { games = ["x'), ('demo-test-analysts', '*"], role = "author" } }
  }
}

run "engineer_of_one_game" {
  command         = plan
  expect_failures = [var.groups]

  variables {
    groups = { builders = { games = ["skyforge"], role = "engineer" } }
  }
}

run "no_groups" {
  command         = plan
  expect_failures = [var.groups]

  variables {
    groups = {}
  }
}

run "interval_too_long" {
  command         = plan
  expect_failures = [var.refresh]

  variables {
    refresh = { interval = "MONTHLY" }
  }
}

run "time_of_no_day" {
  command         = plan
  expect_failures = [var.refresh]

  variables {
    refresh = { full_time = "25:00" }
  }
}

run "warehouse_without_a_network" {
  command         = plan
  expect_failures = [var.warehouse]

  variables {
    warehouse = {
      credentials_secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:quicksight"
      database               = "analytics"
      host                   = "example.com"
    }
  }
}
