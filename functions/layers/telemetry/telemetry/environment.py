"""What Terraform sets in the environment, for functions on an event's way (docs/adr/0020)."""

import os
from typing import TypeVar

import msgspec

Settings = TypeVar("Settings", bound=msgspec.Struct)


def parse(kind: type[Settings]) -> Settings:
    """Return the settings of a function; raises ValidationError where one is missing or no such value.

    As pydantic-settings does it, which takes longer to import than all else of ours.
    """
    return msgspec.convert({name.lower(): text for name, text in os.environ.items()}, kind, strict=False)
