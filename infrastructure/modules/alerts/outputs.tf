output "topic_arn" {
  description = "Topic that alarms report to."
  value       = aws_sns_topic.this.arn
}
