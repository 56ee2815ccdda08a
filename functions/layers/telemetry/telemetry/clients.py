"""AWS clients with short timeouts and SDK retries; the endpoint comes from AWS_ENDPOINT_URL where set."""

from typing import Any

import boto3
from botocore.config import Config

CONNECTIONS = 32
_config = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"mode": "standard", "max_attempts": 4},
    max_pool_connections=CONNECTIONS,
    # The service checks what it is sent; to check it here too takes a tenth of a call's CPU.
    parameter_validation=False,
)


def client(service: str) -> Any:
    """Return a low-level client, safe to share between threads."""
    return boto3.client(service, config=_config)  # type: ignore[call-overload]


def resource(service: str) -> Any:
    """Return a resource: Python values instead of typed ones; not to be shared between threads."""
    return boto3.resource(service, config=_config)  # type: ignore[call-overload]
