"""What Terraform sets in the environment: the streams to scale, and between what."""

import msgspec


class Bounds(msgspec.Struct, frozen=True):
    """Fewest and most shards of a stream, and how many read each of its records."""

    minimum: int
    maximum: int
    readers: int


class Settings(msgspec.Struct, frozen=True):
    """`streams` is JSON, by name."""

    streams: dict[str, Bounds]
