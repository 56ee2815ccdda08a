output "alarms" {
  description = "Dimensions that each alarm watches, by the alarm's name."
  value       = { for name, alarm in aws_cloudwatch_metric_alarm.throttles : name => alarm.dimensions }
}

output "configuration" {
  description = "Keys, encryption and protection of the table, for review."
  value = {
    deletion_protection    = aws_dynamodb_table.this.deletion_protection_enabled
    expires                = contains([for ttl in aws_dynamodb_table.this.ttl : ttl.attribute_name], "expires_at")
    hash_key               = aws_dynamodb_table.this.hash_key
    kms_key_arn            = one(aws_dynamodb_table.this.server_side_encryption).kms_key_arn
    point_in_time_recovery = one(aws_dynamodb_table.this.point_in_time_recovery).enabled
    range_key              = aws_dynamodb_table.this.range_key

    indexes = {
      for index in aws_dynamodb_table.this.global_secondary_index : index.name => {
        hash_key        = index.hash_key
        projection_type = index.projection_type
        range_key       = index.range_key
      }
    }
  }
}

output "index_arns" {
  description = "ARN of each index, by its name."
  value       = { for name in keys(var.indexes) : name => "${aws_dynamodb_table.this.arn}/index/${name}" }
}

output "table" {
  description = "ARN and name of the table."
  value       = { arn = aws_dynamodb_table.this.arn, name = aws_dynamodb_table.this.name }
}
