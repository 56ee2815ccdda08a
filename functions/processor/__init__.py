"""The stream's first consumer: raw events to bronze, enriched and rejected."""
