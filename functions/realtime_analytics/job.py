"""The Flink job: one statement set of all the SQL."""

from pyflink.table import EnvironmentSettings, StatementSet, TableEnvironment

from realtime_analytics.settings import Settings
from realtime_analytics.statements import statements

STATE_HOURS = 24


def build(settings: Settings) -> StatementSet:
    """Return the job, not yet started. Raises Flink's own errors for SQL or options that it does not take."""
    environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    config = environment.get_config()
    config.set("pipeline.name", "realtime_analytics")
    config.set("table.local-time-zone", "UTC")
    # A shard in which nothing happens must not hold up the others.
    config.set("table.exec.source.idle-timeout", f"{settings.windows.idle_timeout_seconds} s")
    # What a transaction's first purchase is remembered for; windows drop their state by themselves.
    config.set("table.exec.state.ttl", f"{STATE_HOURS} h")
    # No operator keeps a row that it passed on, so rows need no copies.
    config.set("pipeline.object-reuse", "true")
    # What inserts have in common runs once: branches of their own would see the clock's first tick at their
    # own time, and judge differently what came too late.
    config.set("table.optimizer.reuse-optimize-block-with-digest-enabled", "true")
    # RocksDB has a buffer for each of the job's dozens of states. Of its default size, 64 MB, they do not fit
    # into their memory together, and RocksDB writes to disk all the time (ADR 0010).
    config.set("state.backend.rocksdb.writebuffer.size", "2 mb")
    for key, value in settings.flink.items():
        config.set(key, value)
    job = environment.create_statement_set()
    for statement in statements(settings):
        if "INSERT INTO" in statement:
            job.add_insert_sql(statement)
        else:
            environment.execute_sql(statement)
    return job
