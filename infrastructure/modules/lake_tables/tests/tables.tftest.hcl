# These runs apply first: the second run plans tables that exist and that Spark has changed.
mock_provider "aws" {
  source = "../../testing"
}

variables {
  account  = { id = "111122223333", partition = "aws", region = "eu-west-1" }
  bucket   = { arn = "arn:aws:s3:::lake", name = "lake" }
  database = "demo_test"
}

run "made" {
  assert {
    condition     = aws_glue_catalog_table.this["daily"].database_name == var.database
    error_message = "Glue makes the tables."
  }
}

run "left_to_spark" {
  command = plan

  variables {
    database = "renamed"
  }

  assert {
    condition     = aws_glue_catalog_table.this["daily"].database_name != "renamed"
    error_message = "Terraform must not update a table that exists: it would restore an old metadata pointer."
  }
}
