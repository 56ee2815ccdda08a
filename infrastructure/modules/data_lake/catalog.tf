locals {
  # `scripts/schemas generate` writes these columns from event-schemas/.
  columns = { for name in ["bronze", "rejected"] : name => jsondecode(file("${path.module}/tables/${name}.json")) }
  reasons = jsondecode(file("${path.module}/tables/reasons.json"))

  # Athena computes the partitions, so there is no crawler and no repair after a new hour.
  tables = {
    bronze = {
      description = "Valid events as they arrived: at least once each, by hour of arrival."
      partitions  = { arrival_hour = "string" }
      projection = {
        "projection.arrival_hour.format"        = "yyyy/MM/dd/HH"
        "projection.arrival_hour.interval"      = "1"
        "projection.arrival_hour.interval.unit" = "HOURS"
        "projection.arrival_hour.range"         = "2025/01/01/00,NOW"
        "projection.arrival_hour.type"          = "date"
        "storage.location.template"             = "s3://${aws_s3_bucket.lake.bucket}/bronze/$${arrival_hour}/"
      }
    }
    rejected = {
      description = "Quarantine: events that were refused, by day of arrival and reason."
      partitions  = { day = "string", reason = "string" }
      projection = {
        "projection.day.format"        = "yyyy-MM-dd"
        "projection.day.interval"      = "1"
        "projection.day.interval.unit" = "DAYS"
        "projection.day.range"         = "2025-01-01,NOW"
        "projection.day.type"          = "date"
        "projection.reason.type"       = "enum"
        "projection.reason.values"     = join(",", local.reasons)
        "storage.location.template"    = "s3://${aws_s3_bucket.lake.bucket}/rejected/day=$${day}/reason=$${reason}/"
      }
    }
  }
}

resource "aws_glue_catalog_database" "this" {
  name        = replace(var.name_prefix, "-", "_")
  description = "Tables of the lake."
}

resource "aws_glue_catalog_table" "this" {
  for_each = local.tables

  name          = each.key
  database_name = aws_glue_catalog_database.this.name
  description   = each.value.description
  table_type    = "EXTERNAL_TABLE"

  parameters = merge(each.value.projection, {
    EXTERNAL             = "TRUE"
    classification       = "json"
    "projection.enabled" = "true"
  })

  dynamic "partition_keys" {
    for_each = each.value.partitions

    content {
      name = partition_keys.key
      type = partition_keys.value
    }
  }

  storage_descriptor {
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    location      = "s3://${aws_s3_bucket.lake.bucket}/${each.key}/"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    dynamic "columns" {
      for_each = local.columns[each.key]

      content {
        comment = columns.value.comment
        name    = columns.value.name
        type    = columns.value.type
      }
    }

    ser_de_info {
      parameters            = { "ignore.malformed.json" = "true" }
      serialization_library = "org.openx.data.jsonserde.JsonSerDe"
    }
  }

  depends_on = [aws_s3_bucket_policy.lake]
}
