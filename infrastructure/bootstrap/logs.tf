# Glue's optimizers and API Gateway make these groups themselves, one for the account and region, and keep logs for
# ever. They hold names of tables and counts, no data.
resource "aws_cloudwatch_log_group" "service" {
  #checkov:skip=CKV_AWS_158:The groups hold no data, and the account has no key that environments share.
  #checkov:skip=CKV_AWS_338:Nobody needs these logs for a year.
  for_each = var.service_log_groups

  name              = each.key
  retention_in_days = 30
}
