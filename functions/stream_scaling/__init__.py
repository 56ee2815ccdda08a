"""Gives provisioned streams the shards their load asks for; Application Auto Scaling knows no Kinesis."""
