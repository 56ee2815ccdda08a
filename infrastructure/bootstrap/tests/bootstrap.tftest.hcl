mock_provider "aws" {
  source          = "../testing"
  override_during = plan
}

# Planned only: the bucket refuses to be destroyed after the test.
run "state" {
  command = plan

  assert {
    condition     = aws_s3_bucket.state.bucket == "player-analytics-state-111122223333"
    error_message = "The bucket is named after the account."
  }

  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "Old states must be kept."
  }

  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_server_side_encryption_configuration.state.rule :
      rule.bucket_key_enabled && rule.apply_server_side_encryption_by_default[0].kms_master_key_id == aws_kms_key.state.arn
    ])
    error_message = "States must be encrypted with their own key."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.state.policy).Statement[0].Condition == { Bool = { "aws:SecureTransport" = "false" } }
    error_message = "Plain HTTP must be refused."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.state.block_public_acls,
      aws_s3_bucket_public_access_block.state.block_public_policy,
      aws_s3_bucket_public_access_block.state.ignore_public_acls,
      aws_s3_bucket_public_access_block.state.restrict_public_buckets,
    ])
    error_message = "Public access must be blocked in every way."
  }

  assert {
    condition     = strcontains(output.backend_config, "bucket     = \"player-analytics-state-111122223333\"")
    error_message = "The output must be what terraform init needs."
  }

  assert {
    condition     = endswith(aws_iam_role_policy_attachment.api_gateway_logs.policy_arn, ":aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs")
    error_message = "API Gateway may write logs and nothing more."
  }
}
