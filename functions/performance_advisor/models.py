"""What a week looked like: configuration and metrics, as `collector.py` reads them or a test records them."""

from pydantic import BaseModel, Field


class Stream(BaseModel):
    """A Kinesis stream; bytes and records are what was put. `consumers` read with GetRecords."""

    name: str
    setting: str
    on_demand: bool
    shards: int
    bytes_a_week: float
    peak_bytes_a_second: float
    peak_records_a_second: float
    consumers: int = 1


class Consumer(BaseModel):
    """How a function reads a stream, and how far it was behind at most."""

    name: str
    setting: str
    batch_size: int
    window_seconds: int
    records_a_week: float
    invocations_a_week: float
    mean_ms: float
    memory_mb: int
    furthest_behind_ms: float = 0


class Units(BaseModel):
    """Capacity that reads or writes of a table took; `busiest` is each hour's busiest minute, a second."""

    a_week: float = 0
    busiest: list[float] = Field(default_factory=list)


class Table(BaseModel):
    """A DynamoDB table."""

    name: str
    throttled_a_week: float
    on_demand: bool = True
    reads: Units = Field(default_factory=Units)
    writes: Units = Field(default_factory=Units)


class Flink(BaseModel):
    """The stream job; percent of a task's CPU, and how far it was behind at most."""

    parallelism: int
    units: int
    busiest_cpu_percent: float
    furthest_behind_ms: float


class Spark(BaseModel):
    """The batch job's longest run, and how often one starts."""

    every_hours: int
    maximum_executors: int
    longest_minutes: float


class Observations(BaseModel):
    """All of it; what could not be read is missing, and no advice is given on it."""

    streams: list[Stream] = Field(default_factory=list)
    consumers: list[Consumer] = Field(default_factory=list)
    tables: list[Table] = Field(default_factory=list)
    flink: Flink | None = None
    spark: Spark | None = None
    unreadable: list[str] = Field(default_factory=list)
