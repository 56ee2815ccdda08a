"""Counts as lines of CloudWatch's embedded metric format, for a function that writes one at each request."""

import time

import msgspec
import orjson

from telemetry import environment


class Settings(msgspec.Struct, frozen=True):
    """What Terraform sets for Powertools."""

    powertools_metrics_namespace: str
    powertools_service_name: str


class Count:
    """A metric by service. Its line is that of Powertools, for a fraction of the CPU time."""

    def __init__(self, name: str, unit: str = "Count") -> None:
        """Write all of the line but its time and value."""
        settings = environment.parse(Settings)
        directive = {
            "Namespace": settings.powertools_metrics_namespace,
            "Dimensions": [["service"]],
            "Metrics": [{"Name": name, "Unit": unit}],
        }
        metadata = orjson.dumps({"CloudWatchMetrics": [directive]}).decode()
        values = orjson.dumps({"service": settings.powertools_service_name, name: []}).decode()
        self._after_time = f",{metadata[1:]},{values[1:].removesuffix(']}')}"

    def line(self, value: int) -> str:
        """Return the line of one value, now."""
        milliseconds = time.time_ns() // 1_000_000
        return f'{{"_aws":{{"Timestamp":{milliseconds}{self._after_time}{value}]}}'
