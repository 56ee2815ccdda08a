"""Settings of the function, from its environment."""

from functools import cache

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Terraform sets them; `values` is JSON."""

    workgroup: str
    database: str
    secret_arn: str
    values: dict[str, str]


@cache
def settings() -> Settings:
    """Read the environment once."""
    return Settings()
