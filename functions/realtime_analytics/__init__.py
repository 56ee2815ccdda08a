"""Real-time windows and alerts of the enriched stream, on Managed Service for Apache Flink."""
