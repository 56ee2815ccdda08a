output "bucket" {
  description = "Bucket of the lake."
  value       = { arn = aws_s3_bucket.lake.arn, name = aws_s3_bucket.lake.bucket }
}

output "delivery_streams" {
  description = "Firehose streams to bronze and rejected; records are gzip members of NDJSON."
  value = {
    for name, stream in aws_kinesis_firehose_delivery_stream.this : name => { arn = stream.arn, name = stream.name }
  }
}
