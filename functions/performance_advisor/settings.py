"""What Terraform sets in the environment: what there is to look at, and where the advice goes."""

import msgspec


class Watched(msgspec.Struct, frozen=True):
    """Names by the Terraform setting that sizes them; a part that is not there is empty."""

    consumers: dict[str, str] = {}
    flink: str = ""
    spark: str = ""
    spark_every_hours: int = 24
    spark_executors: int = 0
    streams: dict[str, str] = {}
    tables: list[str] = []


class Settings(msgspec.Struct, frozen=True):
    """`watched` is JSON."""

    watched: Watched
    lake_bucket: str
    topic_arn: str
