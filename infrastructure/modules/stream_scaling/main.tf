module "function" {
  source = "../scheduled_function"

  account_id  = var.account_id
  description = "Gives provisioned streams the shards that their load needs."
  environment = {
    STREAMS = jsonencode({
      for name, stream in var.streams :
      name => { maximum = stream.maximum, minimum = stream.minimum, readers = stream.readers }
    })
  }
  name      = "stream_scaling"
  runbook   = "docs/runbooks/stream-scaling.md"
  schedules = { minute = { expression = "rate(1 minute)" } }
  settings  = var.settings
  sizing    = { memory_mb = 256, timeout_seconds = 30 }

  # The actions that are allowed on "*" take no resource.
  policy_statements = {
    ReadMetrics = { actions = ["cloudwatch:GetMetricData"], resources = ["*"] }
    ReadStreams = { actions = ["kinesis:DescribeStreamSummary"], resources = values(var.streams)[*].arn }
    Scale       = { actions = ["kinesis:UpdateShardCount"], resources = ["*"] }
  }
}
