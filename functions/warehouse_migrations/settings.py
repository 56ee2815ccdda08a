"""What the function is told by its environment."""

from functools import cache

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Set by Terraform; `values` is JSON."""

    workgroup: str
    database: str
    secret_arn: str
    values: dict[str, str]


@cache
def settings() -> Settings:
    """Read the environment once."""
    return Settings()
