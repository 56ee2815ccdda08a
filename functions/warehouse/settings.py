"""Settings of the function, from its environment."""

from functools import cache

import msgspec
from telemetry import environment


class Settings(msgspec.Struct, frozen=True):
    """Terraform sets them; `values` is JSON."""

    workgroup: str
    database: str
    secret_arn: str
    values: dict[str, str]


@cache
def settings() -> Settings:
    """Read the environment once."""
    return environment.parse(Settings)
