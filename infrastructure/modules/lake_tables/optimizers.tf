locals {
  optimizers = var.optimize ? {
    for pair in setproduct(keys(local.tables), ["compaction", "orphan_file_deletion", "retention"]) :
    "${pair[0]}/${pair[1]}" => { table = pair[0], type = pair[1] }
  } : {}

  glue       = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"
  log_groups = "arn:${var.account.partition}:logs:${var.account.region}:${var.account.id}:log-group"

  optimizer_statements = {
    Encrypt = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.settings.kms_key_arns.events]
    }
    FindFiles = {
      actions   = ["s3:GetBucketLocation", "s3:ListBucket"]
      resources = [var.bucket.arn]
    }
    RewriteFiles = {
      actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      resources = [for prefix in ["gold", "kept", "silver"] : "${var.bucket.arn}/${prefix}/*"]
    }
    UseTables = {
      actions = ["glue:GetTable", "glue:UpdateTable"]
      resources = concat(
        ["${local.glue}:catalog", "${local.glue}:database/${var.database}"],
        [for table in keys(local.tables) : "${local.glue}:table/${var.database}/${table}"],
      )
    }
    # Glue names the groups itself, one for each kind of optimizer.
    WriteLogs = {
      actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
      resources = [
        for kind in ["compaction", "orphan-file-deletion", "retention"] :
        "${local.log_groups}:/aws-glue/iceberg-${kind}/logs:*"
      ]
    }
  }
}

resource "aws_glue_catalog_table_optimizer" "this" {
  for_each = local.optimizers

  catalog_id    = var.account.id
  database_name = var.database
  table_name    = aws_glue_catalog_table.this[each.value.table].name
  type          = each.value.type

  configuration {
    enabled  = true
    role_arn = module.optimizer_role[0].arn

    dynamic "orphan_file_deletion_configuration" {
      for_each = each.value.type == "orphan_file_deletion" ? [true] : []

      content {
        iceberg_configuration {
          location                             = local.tables[each.value.table].location
          orphan_file_retention_period_in_days = 3
        }
      }
    }

    dynamic "retention_configuration" {
      for_each = each.value.type == "retention" ? [true] : []

      content {
        iceberg_configuration {
          # Only the newest snapshot is kept by number: data that was erased a day ago is in no snapshot
          # (docs/security.md), and everything can be computed again from bronze.
          clean_expired_files               = true
          number_of_snapshots_to_retain     = 1
          snapshot_retention_period_in_days = 1
        }
      }
    }
  }
}

# AWS documents no aws:SourceAccount for the optimizers: a condition on what Glue does not send would lock them out.
module "optimizer_role" {
  source = "../service_role"
  count  = var.optimize ? 1 : 0

  boundary_arn = var.settings.boundary_arn
  name         = "${var.settings.name_prefix}-table-optimizer"
  services     = ["glue.amazonaws.com"]
  statements   = local.optimizer_statements
}
