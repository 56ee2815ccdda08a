locals {
  # Classes of data differ by who a disclosure would harm. Only the services that hold a class use its key.
  classes = {
    credentials = {
      holds = "hashes and privacy keys of games, secrets"
      # AWS does not document which service makes the secret of the warehouse, so Redshift may use the key too.
      services = ["dynamodb", "redshift", "redshift-serverless", "secretsmanager"]
    }
    events = {
      holds = "what players did: streams, lake, warehouse"
      services = [
        "athena", "firehose", "kinesis", "redshift", "redshift-data", "redshift-serverless", "s3",
      ]
    }
    operations = { holds = "what names nobody: counts, settings, queues, logs", services = [] }
    players    = { holds = "profiles and ranks of players", services = ["dynamodb"] }
  }
}

resource "aws_kms_key" "this" {
  for_each = local.classes

  description             = "${var.name_prefix} ${each.key}: ${each.value.holds}."
  deletion_window_in_days = var.deletion_window_days
  enable_key_rotation     = true
  policy                  = local.key_policies[each.key]
}

resource "aws_kms_alias" "this" {
  for_each = local.classes

  name          = "alias/${var.name_prefix}-${each.key}"
  target_key_id = aws_kms_key.this[each.key].key_id
}
