locals {
  # Written by scripts/schemas from event-schemas.
  gold = jsondecode(file("${path.module}/tables/gold.json"))

  # What the batch job keeps between runs: functions/batch_analytics/kept.py.
  kept = jsondecode(file("${path.module}/tables/kept.json"))

  tables = merge(
    {
      events = {
        columns     = jsondecode(file("${path.module}/tables/events.json"))
        description = "Silver: each valid event once, typed."
        location    = "s3://${var.bucket.name}/silver/events"
      }
    },
    {
      for name, table in local.gold : name => {
        columns     = table.columns
        description = "Gold: ${table.description}"
        location    = "s3://${var.bucket.name}/gold/${name}"
      }
    },
    {
      for name, table in local.kept : name => {
        columns     = table.columns
        description = "Kept: ${table.description}"
        location    = "s3://${var.bucket.name}/kept/${name}"
      }
    },
  )
}

# Glue makes each table once. From then on its commits are Spark's: they change what Terraform must not put back,
# the pointer to the newest metadata first of all.
resource "aws_glue_catalog_table" "this" {
  for_each = local.tables

  name          = each.key
  database_name = var.database
  description   = each.value.description
  table_type    = "EXTERNAL_TABLE"

  open_table_format_input {
    iceberg_input {
      metadata_operation = "CREATE"
      version            = "2"
    }
  }

  storage_descriptor {
    location = each.value.location

    dynamic "columns" {
      for_each = each.value.columns

      content {
        comment = columns.value.comment
        name    = columns.value.name
        type    = columns.value.type
      }
    }
  }

  lifecycle {
    ignore_changes = [open_table_format_input, parameters, storage_descriptor]
  }
}
