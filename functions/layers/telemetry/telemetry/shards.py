"""What a Kinesis shard takes a second (Kinesis Data Streams, quotas and limits)."""

BYTES, RECORDS = 1024**2, 1000


def used(bytes_a_second: float, records_a_second: float) -> float:
    """Return how many shards a load fills, by its bytes or by its records."""
    return max(bytes_a_second / BYTES, records_a_second / RECORDS)
