"""Bring a warehouse to the newest migration, and its facts up to date: repeatedly, and at the same time."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from warehouse_migrations.data_api import DataApi, StatementError, StillRunning
from warehouse_migrations.migrations import Applied, Migration, MigrationError, Values, pending, refresh

MIGRATION, REFRESH, LEDGER = "warehouse-migration", "warehouse-refresh", "warehouse-ledger"
CREATE_LEDGER = (
    "CREATE SCHEMA IF NOT EXISTS warehouse",
    "CREATE TABLE IF NOT EXISTS warehouse.migrations (number INTEGER NOT NULL, name VARCHAR(256) NOT NULL,"
    " checksum VARCHAR(64) NOT NULL, applied_at TIMESTAMPTZ NOT NULL, PRIMARY KEY (number)) DISTSTYLE ALL",
)
# Facts hold it by now: a week is left to look into. By itself, as the view's own refreshes write there.
TIDY = (
    "DELETE FROM staging.enriched_events"
    " WHERE refresh_time < (SELECT DATEADD(day, -7, loaded_from) FROM warehouse.progress)"
)
# A role that was just made is refused for a while: by the Data API, and by Redshift where it assumes one.
REFUSED = re.compile(r"not authorized|access ?denied", re.IGNORECASE)
PATIENCE_SECONDS, PAUSE_SECONDS = 180.0, 10.0
READ_LEDGER = "SELECT number, name, checksum FROM warehouse.migrations ORDER BY number"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far it came: `current`, or `running` with the statement to wait for; files applied now and left."""

    state: str
    applied: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    statement_id: str | None = None


def status(api: DataApi, migrations: Sequence[Migration]) -> Outcome:
    """Say what the warehouse has and lacks. Raises MigrationError as `pending` does."""
    applied = _ledger(api)
    left = tuple(migration.name for migration in pending(migrations, applied))
    return Outcome("pending" if left else "current", tuple(was.name for was in applied.values()), left)


def migrate(api: DataApi, migrations: Sequence[Migration], values: Values) -> Outcome:
    """Apply what is pending, after what an earlier run left running.

    Raises MigrationError where a file cannot be applied, and ClientError where AWS refuses a call. Files that
    were applied before stay applied.
    """
    done: list[str] = []
    try:
        _patiently(lambda: _migrate(api, migrations, values, done))
    except StillRunning as running:
        return Outcome("running", tuple(done), statement_id=running.statement_id)
    return Outcome("current", tuple(done))


def bring_up_to_date(api: DataApi, values: Values) -> Outcome:
    """Refresh the facts, unless a refresh still runs. Raises MigrationError where it fails."""
    running = api.running(REFRESH)
    if running:
        return Outcome("running", statement_id=running[0])
    try:
        api.run(refresh(values), REFRESH)
        api.run_alone(TIDY, REFRESH)
    except StillRunning as still:
        return Outcome("running", statement_id=still.statement_id)
    except StatementError as error:
        raise MigrationError(f"refresh: {error}") from None
    return Outcome("current")


def _migrate(api: DataApi, migrations: Sequence[Migration], values: Values, done: list[str]) -> None:
    for statement_id in api.running(MIGRATION):
        _settle(api, statement_id)
    for migration in pending(migrations, _ledger(api)):
        if _apply(api, migration, values, migrations):
            done.append(migration.name)


def _patiently(action: Callable[[], None]) -> None:
    """Repeat an action that is refused for want of a permission, until the patience is over."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except (ClientError, MigrationError, StatementError) as error:
            if not REFUSED.search(str(error)) or time.monotonic() >= until:
                raise
        time.sleep(PAUSE_SECONDS)


def _apply(api: DataApi, migration: Migration, values: Values, migrations: Sequence[Migration]) -> bool:
    statements = migration.statements(values)
    name = f"{MIGRATION}-{migration.number:04}"
    try:
        if not migration.transactional:
            for statement in statements:
                api.run_alone(statement, name)
            statements = []
        api.run([*_claim(migration), *statements], name)
    except StatementError as error:
        # Another run may have been first: then there is nothing left to do.
        if migration in pending(migrations, _ledger(api)):
            raise MigrationError(f"{migration.name}: {error}") from None
        return False
    return True


def _claim(migration: Migration) -> tuple[str, ...]:
    """Enter a migration, once: others wait at the lock, then divide by zero, as Redshift enforces no key."""
    return (
        "LOCK warehouse.migrations",
        # A number, a name that fits its pattern and a hexadecimal hash: none can end its quotes.
        f"SELECT 1 / (1 - COUNT(*)) FROM warehouse.migrations WHERE number = {migration.number}",  # noqa: S608
        f"INSERT INTO warehouse.migrations VALUES ({migration.number}, '{migration.name}',"  # noqa: S608
        f" '{migration.checksum}', GETDATE())",
    )


def _ledger(api: DataApi) -> dict[int, Applied]:
    try:
        rows = api.rows(READ_LEDGER, LEDGER)
    except StatementError:
        _create_ledger(api)
        rows = api.rows(READ_LEDGER, LEDGER)
    return {int(number): Applied(str(name), str(checksum)) for number, name, checksum in rows}


def _create_ledger(api: DataApi) -> None:
    for statement in CREATE_LEDGER:
        try:
            api.run_alone(statement, LEDGER)
        except StatementError:
            # Two that create the same at once: one fails, and finds it there.
            api.run_alone(statement, LEDGER)


def _settle(api: DataApi, statement_id: str) -> None:
    try:
        api.wait(statement_id)
    except StatementError:
        # The ledger tells what of it was done; what was not is tried again.
        return
