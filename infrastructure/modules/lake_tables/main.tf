locals {
  # `scripts/schemas generate` writes these columns from event-schemas/.
  ad_spend = jsondecode(file("${path.module}/tables/ad_spend.json"))
  gold     = jsondecode(file("${path.module}/tables/gold.json"))

  # Tables that the batch job keeps between runs: functions/batch_analytics/kept.py.
  kept = jsondecode(file("${path.module}/tables/kept.json"))

  tables = merge(
    {
      # scripts/spend writes it. It lies beside gold, so that who may read gold's files may read it.
      ad_spend = {
        columns     = local.ad_spend.columns
        description = local.ad_spend.description
        location    = "s3://${var.bucket.name}/gold/ad_spend"
      }
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

# Glue makes each table once; from then on its writer owns it. A commit replaces the whole definition: the pointer to
# the newest metadata, and the description, which Iceberg does not keep. An update by Terraform would put an old pointer
# back and lose what was committed in between, so that Terraform changes nothing.
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
    ignore_changes = all
  }
}
