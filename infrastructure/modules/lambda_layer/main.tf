locals {
  package = "${var.packages_directory}/${var.name}-layer.zip"
}

resource "aws_lambda_layer_version" "this" {
  layer_name               = "${var.name_prefix}-${var.name}"
  compatible_architectures = ["arm64"]
  compatible_runtimes      = ["python3.13"]
  filename                 = local.package
  source_code_hash         = filebase64sha256(local.package)
}
