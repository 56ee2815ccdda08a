mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account  = { id = "111122223333", partition = "aws", region = "eu-west-1" }
  bucket   = { arn = "arn:aws:s3:::lake", name = "lake" }
  database = "demo_test"
}

run "resources" {
  command = plan

  assert {
    condition = (
      { for name, table in aws_glue_catalog_table.this : name => table.storage_descriptor[0].location } ==
      merge(
        { ad_spend = "s3://lake/gold/ad_spend", events = "s3://lake/silver/events" },
        {
          for name in [
            "acquisition", "acquisition_value", "ads", "daily", "design", "economy", "experiment_design",
            "experiment_revenue", "experiments", "lifetime_value", "matches", "performance", "performance_bins",
            "progression", "retention", "revenue", "stability", "total_revenue", "tutorial",
          ] :
          name => "s3://lake/gold/${name}"
        },
        {
          for name in [
            "accounts", "ads", "attempts", "currencies", "designs", "exposures", "games", "links", "matches", "movers",
            "moves", "players", "presence", "purchases", "refunds", "samples", "sources", "steps",
          ] :
          "kept_${name}" => "s3://lake/kept/kept_${name}"
        }
      )
    )
    error_message = "Silver has the events, gold a table for each set of metrics; kept tables are between."
  }

  assert {
    condition = alltrue([
      for table in values(aws_glue_catalog_table.this) : (
        table.database_name == "demo_test" && table.open_table_format_input[0].iceberg_input[0].version == "2"
        && table.open_table_format_input[0].iceberg_input[0].metadata_operation == "CREATE"
      )
    ])
    error_message = "Tables are Iceberg of version 2: rows can be merged and deleted."
  }

  assert {
    condition = (
      {
        for column in aws_glue_catalog_table.this["events"].storage_descriptor[0].columns :
        column.name => column.type
        if contains(["event_id", "event_date", "received_at", "late"], column.name)
      } ==
      { event_date = "date", event_id = "string", late = "boolean", received_at = "timestamp" }
    )
    error_message = "Silver is typed."
  }

  assert {
    condition = alltrue([
      for table in values(aws_glue_catalog_table.this) :
      alltrue([for column in table.storage_descriptor[0].columns : length(column.comment) > 0])
      && length(table.description) > 0
    ])
    error_message = "Every table and column is described."
  }

  assert {
    condition     = output.tables == keys(aws_glue_catalog_table.this)
    error_message = "The outputs name every table."
  }

  assert {
    condition = (
      toset(
        [for optimizer in values(aws_glue_catalog_table_optimizer.this) : "${optimizer.table_name} ${optimizer.type}"]
      ) ==
      toset(
        flatten([
          for table in keys(aws_glue_catalog_table.this) :
          [for type in ["compaction", "orphan_file_deletion", "retention"] : "${table} ${type}"]
        ])
      )
    )
    error_message = "Each table is compacted and cleaned."
  }

  assert {
    condition = alltrue([
      for optimizer in values(aws_glue_catalog_table_optimizer.this) :
      optimizer.configuration[0].role_arn == module.optimizer_role[0].arn && optimizer.configuration[0].enabled
    ])
    error_message = "The optimizers run with their own role."
  }

  assert {
    condition = (
      {
        for optimizer in values(aws_glue_catalog_table_optimizer.this) :
        optimizer.table_name =>
        optimizer.configuration[0].orphan_file_deletion_configuration[0].iceberg_configuration[0].location
        if optimizer.type == "orphan_file_deletion"
      } ==
      { for name, table in aws_glue_catalog_table.this : name => table.storage_descriptor[0].location }
    )
    error_message = "Orphans are looked for where the table lies, and nowhere else."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(module.optimizer_role[0].policy).Statement :
        statement.Sid => [statement.Action, statement.Resource]
      } ==
      {
        Encrypt   = [["kms:Decrypt", "kms:GenerateDataKey"], [var.settings.kms_key_arns.events]]
        FindFiles = [["s3:GetBucketLocation", "s3:ListBucket"], ["arn:aws:s3:::lake"]]
        RewriteFiles = [
          ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
          ["arn:aws:s3:::lake/gold/*", "arn:aws:s3:::lake/kept/*", "arn:aws:s3:::lake/silver/*"],
        ]
        UseTables = [
          ["glue:GetTable", "glue:UpdateTable"],
          concat(
            ["arn:aws:glue:eu-west-1:111122223333:catalog", "arn:aws:glue:eu-west-1:111122223333:database/demo_test"],
            [for table in output.tables : "arn:aws:glue:eu-west-1:111122223333:table/demo_test/${table}"]
          ),
        ]
        WriteLogs = [
          ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
          [
            "arn:aws:logs:eu-west-1:111122223333:log-group:/aws-glue/iceberg-compaction/logs:*",
            "arn:aws:logs:eu-west-1:111122223333:log-group:/aws-glue/iceberg-orphan-file-deletion/logs:*",
            "arn:aws:logs:eu-west-1:111122223333:log-group:/aws-glue/iceberg-retention/logs:*",
          ],
        ]
      }
    )
    error_message = "The optimizers rewrite the tables, and nothing else of the lake."
  }

  assert {
    condition = (
      aws_athena_workgroup.this.configuration[0].enforce_workgroup_configuration
      && aws_athena_workgroup.this.configuration[0].bytes_scanned_cutoff_per_query == 107374182400
      && aws_athena_workgroup.this.configuration[0].result_configuration[0].output_location ==
      "s3://lake/athena-results/"
      && aws_athena_workgroup.this.configuration[0].result_configuration[0].expected_bucket_owner == "111122223333"
      && aws_athena_workgroup.this.configuration[0].result_configuration[0].encryption_configuration[0].encryption_option ==
      "SSE_KMS"
      && aws_athena_workgroup.this.configuration[0].result_configuration[0].encryption_configuration[0].kms_key_arn ==
      var.settings.kms_key_arns.events
    )
    error_message = "Queries are limited and their answers encrypted, whatever the analyst's client says."
  }

  assert {
    condition = alltrue([
      for query in values(aws_athena_named_query.this) :
      query.database == "demo_test" && length(query.description) > 20 && !startswith(query.description, "--")
    ]) && contains([for query in values(aws_athena_named_query.this) : query.name], "retention_triangle")
    error_message = "Each saved query says what it answers."
  }
}

run "tables_of_players" {
  command = plan

  assert {
    condition = (
      contains(output.personal_tables, "events") && contains(output.personal_tables, "kept_players")
      && !contains(output.personal_tables, "kept_games") && !contains(output.personal_tables, "daily")
    )
    error_message = "Tables of players are those with a player_id."
  }
}

run "without_optimizers" {
  command = plan

  variables {
    optimize = false
  }

  assert {
    condition     = length(aws_glue_catalog_table_optimizer.this) == 0 && length(module.optimizer_role) == 0
    error_message = "Without optimizers there is no role for them."
  }
}

run "no_scan" {
  command         = plan
  expect_failures = [var.scan_limit_gb]

  variables {
    scan_limit_gb = 0
  }
}
