output "bucket" {
  description = "Bucket of the lake. It is known when the bucket is encrypted, versioned and has its policy."
  value       = { arn = aws_s3_bucket.lake.arn, name = aws_s3_bucket.lake.bucket }

  depends_on = [aws_s3_bucket_policy.lake]
}

output "database" {
  description = "Glue database of the lake's tables."
  value       = aws_glue_catalog_database.this.name
}

output "delivery_streams" {
  description = "Firehose streams: bronze takes gzip members of NDJSON, rejected takes one plain JSON line a record."
  value = {
    for name, stream in aws_kinesis_firehose_delivery_stream.this : name => { arn = stream.arn, name = stream.name }
  }
}
