mock_provider "aws" {
  source = "../../testing"
}

variables {
  account     = { id = "111122223333", partition = "aws", region = "eu-west-1" }
  kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/example"
  lake        = { bucket = "lake", database = "demo_test_lake", workgroup = "demo-test-analysts" }
  name_prefix = "demo-test"
}

run "dashboard" {
  assert {
    condition     = length(jsondecode(aws_s3_object.template.content).Resources.Dashboard.Properties.Definition.Sheets) == 5
    error_message = "The dashboard has five sheets."
  }
}
