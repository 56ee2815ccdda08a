# Applied, not planned: what a second plan makes of a workgroup that exists.
mock_provider "aws" {
  source = "../../testing"
}

variables {
  account         = { id = "111122223333", partition = "aws", region = "eu-west-1" }
  enriched_stream = { arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/enriched", name = "enriched" }

  lake = {
    arn      = "arn:aws:s3:::lake"
    database = "demo_test"
    tables   = { gold = ["daily", "revenue"], silver = ["events"] }
  }

  network = {
    cidr_block                = "10.42.0.0/20"
    client_security_group_ids = { dashboards = "sg-1" }
    s3_prefix_list_id         = "pl-1"
    subnet_ids                = ["subnet-1", "subnet-2", "subnet-3"]
    vpc_id                    = "vpc-1"
  }

  settings = {
    alerts_topic_arn = "arn:aws:sns:eu-west-1:111122223333:alerts"

    kms_key_arns = {
      credentials = "arn:aws:kms:eu-west-1:111122223333:key/credentials"
      events      = "arn:aws:kms:eu-west-1:111122223333:key/events"
      operations  = "arn:aws:kms:eu-west-1:111122223333:key/operations"
    }

    layer_arns         = []
    log_level          = "INFO"
    log_retention_days = 30
    name_prefix        = "demo-test"
    packages_bucket    = "demo-test-lake"
    packages_directory = "../../testing/packages"
    tracing            = false
  }
}

run "applied" {
  assert {
    condition     = length(aws_redshiftserverless_workgroup.this.config_parameter) == 3
    error_message = "Parameters are set when the workgroup is made."
  }
}

# The workgroup keeps the 900 seconds that it was made with: an update of parameters is what AWS refuses.
run "parameters_drifted" {
  command         = plan
  expect_failures = [check.parameters]

  variables {
    max_query_seconds = 1800
  }
}
