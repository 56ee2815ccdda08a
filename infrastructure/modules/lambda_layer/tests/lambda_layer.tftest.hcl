mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  name               = "telemetry"
  name_prefix        = "demo-test"
  packages_directory = "../../testing/packages"
}

run "layer" {
  command = plan

  assert {
    condition     = aws_lambda_layer_version.this.layer_name == "demo-test-telemetry"
    error_message = "Layers are named <project>-<environment>-<name>."
  }

  assert {
    condition = (
      aws_lambda_layer_version.this.source_code_hash ==
      filebase64sha256("${var.packages_directory}/telemetry-layer.zip")
    )
    error_message = "The hash of the package decides whether there is a new version."
  }
}

run "package_missing" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "absent"
  }
}
