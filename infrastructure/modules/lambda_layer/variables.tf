variable "name" {
  type        = string
  description = "Name of the layer; its package is <name>-layer.zip."
  nullable    = false

  validation {
    condition     = fileexists("${var.packages_directory}/${var.name}-layer.zip")
    error_message = "No ${var.name}-layer.zip in ${var.packages_directory}: run `make build` first."
  }
}

variable "name_prefix" {
  type        = string
  description = "Start of every name: <project>-<environment>."
  nullable    = false
}

variable "packages_directory" {
  type        = string
  description = "Directory of the packages that `make build` writes."
  nullable    = false
}
