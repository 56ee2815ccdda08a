"""What Terraform sets in the environment: the streams to scale, and between what."""

from pydantic import BaseModel
from pydantic_settings import BaseSettings


class Bounds(BaseModel):
    """Fewest and most shards of a stream."""

    minimum: int
    maximum: int


class Settings(BaseSettings):
    """`streams` is JSON, by name."""

    streams: dict[str, Bounds]
