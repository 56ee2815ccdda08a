resource "aws_kms_key" "this" {
  description             = "Encrypts the data, queues, logs and settings of ${var.name_prefix}."
  deletion_window_in_days = var.deletion_window_days
  enable_key_rotation     = true
  policy                  = local.key_policy
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name_prefix}"
  target_key_id = aws_kms_key.this.key_id
}
