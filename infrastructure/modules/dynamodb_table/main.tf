resource "aws_dynamodb_table" "this" {
  name                        = var.name
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = var.protection.deletion
  hash_key                    = var.hash_key
  range_key                   = var.range_key == "" ? null : var.range_key

  dynamic "attribute" {
    for_each = local.key_attributes

    content {
      name = attribute.value
      type = "S"
    }
  }

  # An index that holds more than keys is written more often and costs more.
  dynamic "global_secondary_index" {
    for_each = var.indexes

    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value.hash_key
      projection_type = "KEYS_ONLY"
      range_key       = global_secondary_index.value.range_key
    }
  }

  point_in_time_recovery {
    enabled = var.protection.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }

  dynamic "ttl" {
    for_each = var.expires ? ["expires_at"] : []

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }
}

locals {
  key_attributes = toset(compact(concat(
    [var.hash_key, var.range_key],
    flatten([for index in var.indexes : [index.hash_key, index.range_key]]),
  )))
}
