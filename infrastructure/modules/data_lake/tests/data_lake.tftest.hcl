mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  alerts_topic_arn = "arn:aws:sns:eu-west-1:111122223333:alerts"
  account_id       = "111122223333"
  buffering        = { seconds = 300, size_mb = 64 }
  kms_key_arns = {
    events     = "arn:aws:kms:eu-west-1:111122223333:key/events"
    operations = "arn:aws:kms:eu-west-1:111122223333:key/operations"
  }
  log_retention_days = 30
  name_prefix        = "demo-test"
  retention          = { bronze_infrequent_access_days = 90, noncurrent_days = 30, rejected_days = 90 }
}

run "resources" {
  command = plan

  assert {
    condition     = aws_s3_bucket.lake.bucket == "demo-test-lake-111122223333" && !aws_s3_bucket.lake.force_destroy
    error_message = "The bucket is named after the account and keeps its objects."
  }

  assert {
    condition = jsondecode(aws_s3_bucket_policy.lake.policy).Statement[0] == {
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.lake.arn, "${aws_s3_bucket.lake.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }
    error_message = "Plain HTTP must be refused."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.lake.block_public_acls,
      aws_s3_bucket_public_access_block.lake.block_public_policy,
      aws_s3_bucket_public_access_block.lake.ignore_public_acls,
      aws_s3_bucket_public_access_block.lake.restrict_public_buckets,
    ])
    error_message = "Public access must be blocked in every way."
  }

  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_server_side_encryption_configuration.lake.rule :
      rule.bucket_key_enabled
      && rule.apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arns.events
    ])
    error_message = "Objects must be encrypted with the platform's key, through a bucket key."
  }

  assert {
    condition = (
      [for rule in aws_s3_bucket_lifecycle_configuration.lake.rule : rule.id] ==
      ["tidy", "bronze", "athena-results", "batch", "errors", "rejected", "replayed", "reports"]
    )
    error_message = "Each prefix must have its lifecycle."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(aws_s3_bucket_policy.lake.policy).Statement :
        statement.Sid => [statement.Effect, statement.Action]
        if statement.Sid != "TlsOnly"
      } ==
      {
        ReceiptsAreWrittenOnce = ["Deny", ["s3:PutObject"]]
        ReceiptsStay           = ["Deny", ["s3:DeleteObject", "s3:DeleteObjectVersion"]]
      }
    )
    error_message = "Nobody may delete a receipt, or write over one."
  }

  assert {
    condition = (
      alltrue([
        for statement in jsondecode(aws_s3_bucket_policy.lake.policy).Statement :
        statement.Resource == [for kind in ["exported", "erased"] : "${aws_s3_bucket.lake.arn}/privacy/${kind}/*"]
        if statement.Sid != "TlsOnly"
      ])
      && jsondecode(aws_s3_bucket_policy.lake.policy).Statement[2].Condition ==
      { Null = { "s3:if-none-match" = "true" } }
    )
    error_message = "That holds for receipts only, and for writes that would replace one."
  }

  assert {
    condition = jsonencode({
      for name, stream in aws_kinesis_firehose_delivery_stream.this : name => [
        stream.extended_s3_configuration[0].prefix,
        stream.extended_s3_configuration[0].compression_format,
        stream.extended_s3_configuration[0].file_extension,
      ]
      }) == jsonencode({
      bronze   = ["bronze/!{timestamp:yyyy/MM/dd/HH}/", "UNCOMPRESSED", ".ndjson.gz"]
      rejected = ["rejected/day=!{partitionKeyFromQuery:day}/reason=!{partitionKeyFromQuery:reason}/", "GZIP", null]
    })
    error_message = "Bronze must land by hour as the sender compressed it, rejects by day and reason."
  }

  assert {
    condition = (
      {
        for parameter in aws_kinesis_firehose_delivery_stream.this["rejected"].extended_s3_configuration[0].processing_configuration[0].processors[0].parameters :
        parameter.parameter_name => parameter.parameter_value
      } ==
      { JsonParsingEngine = "JQ-1.6", MetadataExtractionQuery = "{day:.received_at[:10],reason:.reason}" }
    )
    error_message = "A reject's partition must come from its own line."
  }

  assert {
    condition = alltrue([
      length(
        aws_kinesis_firehose_delivery_stream.this["bronze"].extended_s3_configuration[0].dynamic_partitioning_configuration
      ) ==
      0,
      aws_kinesis_firehose_delivery_stream.this["rejected"].extended_s3_configuration[0].dynamic_partitioning_configuration[0].enabled,
    ])
    error_message = "Only rejects are partitioned by content: it is billed by the byte."
  }

  assert {
    condition = alltrue([
      for policy in module.delivery_role : toset(flatten(jsondecode(policy.policy).Statement[*].Action)) == toset([
        "kms:Decrypt", "kms:GenerateDataKey", "logs:PutLogEvents", "s3:AbortMultipartUpload", "s3:GetBucketLocation",
        "s3:GetObject", "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:PutObject",
      ])
    ])
    error_message = "A delivery role must have these actions and no others."
  }

  assert {
    condition = (
      one([
        for statement in jsondecode(module.delivery_role["rejected"].policy).Statement :
        statement.Resource
        if statement.Sid == "WriteObjects"
      ]) ==
      ["${aws_s3_bucket.lake.arn}/rejected/*", "${aws_s3_bucket.lake.arn}/errors/rejected/*"]
    )
    error_message = "A delivery role may write to its own prefixes only."
  }

  assert {
    condition = alltrue([
      for role in module.delivery_role :
      jsondecode(role.trust).Statement[0].Condition.StringEquals["sts:ExternalId"] == "111122223333"
    ])
    error_message = "Firehose may assume the roles for this account only."
  }

  assert {
    condition     = aws_glue_catalog_database.this.name == "demo_test"
    error_message = "Athena takes no hyphens."
  }

  assert {
    condition = (
      jsonencode({
        for name, table in aws_glue_catalog_table.this :
        name => [
          table.storage_descriptor[0].location,
          table.partition_keys[*].name,
          table.parameters["storage.location.template"],
        ]
      }) ==
      jsonencode({
        bronze = [
          "s3://demo-test-lake-111122223333/bronze/",
          ["arrival_hour"],
          "s3://demo-test-lake-111122223333/bronze/$${arrival_hour}/",
        ]
        rejected = [
          "s3://demo-test-lake-111122223333/rejected/",
          ["day", "reason"],
          "s3://demo-test-lake-111122223333/rejected/day=$${day}/reason=$${reason}/",
        ]
      })
    )
    error_message = "Each table must find its objects."
  }

  assert {
    condition = (
      aws_glue_catalog_table.this["rejected"].parameters["projection.reason.values"] ==
      join(",", jsondecode(file("tables/reasons.json")))
    )
    error_message = "Every reason must be a partition."
  }

  assert {
    condition = alltrue([
      for name, table in aws_glue_catalog_table.this :
      length(setintersection(table.storage_descriptor[0].columns[*].name, table.partition_keys[*].name)) == 0
    ])
    error_message = "Hive allows no column of a partition's name."
  }

  assert {
    condition = (
      {
        for name, alarm in aws_cloudwatch_metric_alarm.delivery :
        name => [
          alarm.metric_name,
          alarm.comparison_operator,
          tostring(alarm.threshold),
          alarm.dimensions["DeliveryStreamName"],
        ]
      } ==
      {
        bronze-delivery-failures = [
          "DeliveryToS3.Success", "LessThanThreshold", "1", output.delivery_streams.bronze.name,
        ]
        bronze-delivery-freshness = [
          "DeliveryToS3.DataFreshness", "GreaterThanThreshold", "3600", output.delivery_streams.bronze.name,
        ]
        bronze-delivery-throttles = [
          "ThrottledRecords", "GreaterThanThreshold", "0", output.delivery_streams.bronze.name,
        ]
        rejected-delivery-failures = [
          "DeliveryToS3.Success", "LessThanThreshold", "1", output.delivery_streams.rejected.name,
        ]
        rejected-delivery-freshness = [
          "DeliveryToS3.DataFreshness", "GreaterThanThreshold", "3600", output.delivery_streams.rejected.name,
        ]
        rejected-delivery-throttles = [
          "ThrottledRecords", "GreaterThanThreshold", "0", output.delivery_streams.rejected.name,
        ]
      }
    )
    error_message = "Both deliveries must be watched for age, failures and throttles."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.delivery :
      alarm.namespace == "AWS/Firehose" && alarm.alarm_actions == toset([var.alerts_topic_arn])
      && endswith(alarm.alarm_description, ": docs/runbooks/data-lake.md") && alarm.treat_missing_data == "notBreaching"
    ])
    error_message = "Each alarm must report, and name its runbook."
  }
}

run "receipts_of_a_bucket_that_may_go" {
  command = plan

  variables {
    force_destroy = true
  }

  assert {
    condition     = length(jsondecode(aws_s3_bucket_policy.lake.policy).Statement) == 1
    error_message = "A bucket that is destroyed with its objects must let them go."
  }
}

run "buffers_that_partitioning_allows" {
  command = plan

  variables {
    buffering = { seconds = 0, size_mb = 1 }
  }

  assert {
    condition = {
      for name, stream in aws_kinesis_firehose_delivery_stream.this : name => [
        stream.extended_s3_configuration[0].buffering_interval, stream.extended_s3_configuration[0].buffering_size,
      ]
    } == { bronze = [0, 1], rejected = [60, 64] }
    error_message = "Dynamic partitioning needs at least 60 seconds and 64 MB."
  }
}

run "malformed_account" {
  command         = plan
  expect_failures = [var.account_id]

  variables {
    account_id = "12345"
  }
}

run "buffer_too_large" {
  command         = plan
  expect_failures = [var.buffering]

  variables {
    buffering = { seconds = 300, size_mb = 500 }
  }
}

run "infrequent_access_too_early" {
  command         = plan
  expect_failures = [var.retention]

  variables {
    retention = { bronze_infrequent_access_days = 7, noncurrent_days = 30, rejected_days = 90 }
  }
}

run "rejected_expire_too_early" {
  command         = plan
  expect_failures = [var.retention]

  variables {
    retention = { bronze_infrequent_access_days = 90, noncurrent_days = 30, rejected_days = 7 }
  }
}
