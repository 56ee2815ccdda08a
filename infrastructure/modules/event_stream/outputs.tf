output "enriched" {
  description = "Stream of valid events, each once, keyed by player."
  value       = { arn = aws_kinesis_stream.this["enriched"].arn, name = aws_kinesis_stream.this["enriched"].name }
}

output "raw" {
  description = "Stream of whatever games send."
  value       = { arn = aws_kinesis_stream.this["raw"].arn, name = aws_kinesis_stream.this["raw"].name }
}
