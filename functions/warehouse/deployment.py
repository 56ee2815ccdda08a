"""Migrate a warehouse and refresh its facts; both can be repeated, and run at the same time as themselves."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from warehouse.data_api import DataApi, StatementError, StillRunning
from warehouse.sql_files import Applied, Migration, MigrationError, Values, pending, refresh

MIGRATION, REFRESH, LEDGER = "warehouse-migration", "warehouse-refresh", "warehouse-ledger"
CREATE_LEDGER = (
    "CREATE SCHEMA IF NOT EXISTS warehouse",
    "CREATE TABLE IF NOT EXISTS warehouse.migrations (number INTEGER NOT NULL, name VARCHAR(256) NOT NULL,"
    " checksum VARCHAR(64) NOT NULL, applied_at TIMESTAMPTZ NOT NULL, PRIMARY KEY (number)) DISTSTYLE ALL",
)
# Facts hold these rows; a week stays for inspection. This runs outside the transaction, because the view's
# own refreshes write there.
TIDY = (
    "DELETE FROM staging.enriched_events"
    " WHERE refresh_time < (SELECT DATEADD(day, -7, loaded_from) FROM warehouse.progress)"
)
# For some minutes AWS refuses a new role: the function's at the Data API, those of Redshift at their use.
REFUSED = re.compile(r"not authorized|access ?denied", re.IGNORECASE)
PATIENCE_SECONDS, PAUSE_SECONDS = 180.0, 10.0
READ_LEDGER = "SELECT number, name, checksum FROM warehouse.migrations ORDER BY number"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state (`current`, `pending`, or `running` with its statement), and the files applied and left."""

    state: str
    applied: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    statement_id: str | None = None


def status(api: DataApi, migrations: Sequence[Migration]) -> Outcome:
    """Return the files that the warehouse has and lacks. Raises MigrationError as `pending` does."""
    applied = _ledger(api)
    left = tuple(migration.name for migration in pending(migrations, applied))
    return Outcome("pending" if left else "current", tuple(was.name for was in applied.values()), left)


def migrate(api: DataApi, migrations: Sequence[Migration], values: Values) -> Outcome:
    """Wait for what an earlier run left running, then apply the pending files.

    Raises MigrationError where a file cannot be applied, and ClientError where AWS refuses a call. Files
    applied before that stay applied.
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
    """Repeat an action while AWS refuses a permission, for at most PATIENCE_SECONDS."""
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
        # Another run may have applied the file first: then there is nothing left to do.
        if migration in pending(migrations, _ledger(api)):
            raise MigrationError(f"{migration.name}: {error}") from None
        return False
    return True


def _claim(migration: Migration) -> tuple[str, ...]:
    """Enter a migration once: another run waits at the lock, then divides by zero. No key is enforced."""
    return (
        "LOCK warehouse.migrations",
        # A number, a name that fits its pattern and a hexadecimal hash: none of them can end its quotes.
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
            # Of two runs that create the same at once, one fails and then finds it.
            api.run_alone(statement, LEDGER)


def _settle(api: DataApi, statement_id: str) -> None:
    try:
        api.wait(statement_id)
    except StatementError:
        # The ledger says what was applied; the rest is tried again.
        return
