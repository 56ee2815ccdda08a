locals {
  function_name = "${var.settings.name_prefix}-${replace(var.name, "_", "-")}"
  package       = "${var.settings.packages_directory}/${var.name}.zip"

  environment = merge(var.environment, {
    POWERTOOLS_LOG_LEVEL         = var.settings.log_level
    POWERTOOLS_METRICS_NAMESPACE = var.settings.name_prefix
    POWERTOOLS_SERVICE_NAME      = var.name
  })
}

# Lambda reads the package from S3. With a local file the provider creates one function after another, each in five
# seconds. The key names the content, so that an object which somebody replaced is never deployed.
resource "aws_s3_object" "package" {
  bucket                 = var.settings.packages_bucket
  key                    = "artifacts/functions/${var.name}/${filesha256(local.package)}.zip"
  kms_key_id             = var.settings.kms_key_arns.operations
  server_side_encryption = "aws:kms"
  source                 = local.package
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:Mappings of streams keep what fails, and callers of APIs see the error.
  function_name                  = local.function_name
  architectures                  = ["arm64"]
  code_signing_config_arn        = var.settings.code_signing_arn == "" ? null : var.settings.code_signing_arn
  description                    = var.description
  handler                        = "${var.name}.handler.lambda_handler"
  kms_key_arn                    = var.settings.kms_key_arns.operations
  layers                         = var.settings.layer_arns
  memory_size                    = var.sizing.memory_mb
  reserved_concurrent_executions = var.sizing.reserved_concurrency
  role                           = module.role.arn
  runtime                        = "python3.13"
  s3_bucket                      = aws_s3_object.package.bucket
  s3_key                         = aws_s3_object.package.key
  source_code_hash               = filebase64sha256(local.package)
  timeout                        = var.sizing.timeout_seconds

  environment {
    variables = local.environment
  }

  # Lambda's own lines about each invocation are more than half of what a request would log. Failures are warnings.
  logging_config {
    application_log_level = var.settings.log_level
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.this.name
    system_log_level      = "WARN"
  }

  tracing_config {
    mode = var.settings.tracing ? "Active" : "PassThrough"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${local.function_name}"
  kms_key_id        = var.settings.kms_key_arns.operations
  retention_in_days = var.settings.log_retention_days
}
