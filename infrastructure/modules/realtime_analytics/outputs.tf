output "application_name" {
  description = "Name of the Flink application."
  value       = local.application_name
}

output "application_properties" {
  description = "Runtime properties as /etc/flink/application_properties.json lists them."
  value       = [for id, properties in local.property_groups : { PropertyGroupId = id, PropertyMap = properties }]
}

output "function_name" {
  description = "Name of the function that keeps windows and alerts."
  value       = module.realtime_windows.function_name
}

output "metrics_stream" {
  description = "Stream of windows and alerts."
  value       = { arn = aws_kinesis_stream.metrics.arn, name = aws_kinesis_stream.metrics.name }
}

output "table" {
  description = "Table of windows and alerts: hash key series, range key window."
  value       = module.realtime.table
}
