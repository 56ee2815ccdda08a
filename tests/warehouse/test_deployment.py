"""Migrations through the Data API: as a whole or not at all, once, and on from where an earlier run stood."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from emulated_warehouse import VALUES, Warehouse, api, empty
from redshift_on_postgres import DataApi, Server
from warehouse import deployment
from warehouse.sql_files import Migration, MigrationError, load, statements

FILES = (
    Migration(1, "0001_one.sql", "CREATE TABLE warehouse.one (x INTEGER);\n"),
    Migration(
        2, "0002_two.sql", "CREATE TABLE warehouse.two (x INTEGER);\nINSERT INTO warehouse.one VALUES (2);\n"
    ),
    Migration(3, "0003_three.sql", "INSERT INTO warehouse.one VALUES (3);\n"),
)


@pytest.fixture
def client(server: Server) -> DataApi:
    """Return the Data API of an empty database."""
    return DataApi(server, server.database())


def ones(client: DataApi) -> list[int]:
    """Return what the migrations inserted."""
    return sorted(row["x"] for row in Warehouse(client.server, client).rows("SELECT x FROM warehouse.one"))


def names(*migrations: Migration) -> tuple[str, ...]:
    """Return the files' names."""
    return tuple(migration.name for migration in migrations)


def test_all_are_applied_once_and_remembered(client: DataApi) -> None:
    assert deployment.migrate(api(client), FILES, {}).applied == names(*FILES)
    assert deployment.migrate(api(client), FILES, {}) == deployment.Outcome("current")
    assert deployment.status(api(client), FILES) == deployment.Outcome("current", names(*FILES))
    assert ones(client) == [2, 3]


def test_the_shipped_migrations_are_current_after_one_run(server: Server) -> None:
    warehouse = empty(server)
    assert deployment.status(api(warehouse.client), load()).pending == ()


def test_what_fails_in_the_middle_leaves_nothing_and_goes_on_once_mended(client: DataApi) -> None:
    client.fail_at = "VALUES (2)"
    with pytest.raises(MigrationError, match=r"0002_two\.sql: statement 5 of 5: planted"):
        deployment.migrate(api(client), FILES, {})
    assert deployment.status(api(client), FILES).pending == names(*FILES[1:])
    client.fail_at = ""
    assert deployment.migrate(api(client), FILES, {}).applied == names(*FILES[1:])


def test_what_redshift_refuses_a_new_role_is_tried_again(
    client: DataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.fail_at, client.fail_with = (
        "VALUES (2)",
        "Not authorized to get credentials of role arn:aws:iam::1:role/x",
    )
    clock = SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _: setattr(client, "fail_at", ""))
    monkeypatch.setattr(deployment, "time", clock)
    assert deployment.migrate(api(client), FILES, {}).applied == names(*FILES)
    assert ones(client) == [2, 3]


def test_what_the_data_api_refuses_a_new_role_is_tried_again(
    client: DataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = [ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "ExecuteStatement")]
    execute = client.execute_statement
    monkeypatch.setattr(
        client, "execute_statement", lambda **given: _raise(refused.pop()) if refused else execute(**given)
    )
    monkeypatch.setattr(deployment, "PAUSE_SECONDS", 0)
    assert deployment.migrate(api(client), FILES, {}).applied == names(*FILES)
    assert not refused


def test_a_role_that_stays_refused_is_reported(client: DataApi, monkeypatch: pytest.MonkeyPatch) -> None:
    client.fail_at, client.fail_with = "VALUES (2)", "Not authorized to get credentials of role"
    monkeypatch.setattr(deployment, "PATIENCE_SECONDS", 0)
    with pytest.raises(MigrationError, match="Not authorized"):
        deployment.migrate(api(client), FILES, {})


def _raise(error: Exception) -> dict[str, str]:
    raise error


def test_outside_a_transaction_a_file_is_entered_after_its_statements(client: DataApi) -> None:
    alone = Migration(
        1,
        "0001_alone.sql",
        "-- transaction: none\nCREATE SCHEMA IF NOT EXISTS a;\nCREATE SCHEMA IF NOT EXISTS b;\n",
    )
    client.fail_at = "SCHEMA IF NOT EXISTS b"
    with pytest.raises(MigrationError, match="planted"):
        deployment.migrate(api(client), [alone], {})
    client.fail_at = ""
    assert deployment.migrate(api(client), [alone], {}).applied == names(alone)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda files: [files[0], replace(files[1], text="SELECT 1;\n"), files[2]],
            "0002_two.sql was edited",
        ),
        (
            lambda files: [files[0], replace(files[1], name="0002_new.sql"), files[2]],
            "0002_new.sql was edited",
        ),
        (lambda files: files[:2], "0003_three.sql was applied but is no longer a file"),
    ],
)
def test_what_was_applied_may_not_change(
    client: DataApi, change: Callable[[tuple[Migration, ...]], list[Migration]], message: str
) -> None:
    deployment.migrate(api(client), FILES, {})
    with pytest.raises(MigrationError, match=message):
        deployment.migrate(api(client), change(FILES), {})
    assert ones(client) == [2, 3]


def test_a_file_that_comes_before_applied_ones_is_refused(client: DataApi) -> None:
    deployment.migrate(api(client), FILES[:1] + FILES[2:], {})
    with pytest.raises(MigrationError, match=r"0002_two\.sql is not applied, but later ones are"):
        deployment.migrate(api(client), FILES, {})


def test_runs_at_the_same_time_apply_each_once(client: DataApi) -> None:
    together = threading.Barrier(4)

    def run() -> deployment.Outcome:
        together.wait()
        return deployment.migrate(api(client), FILES, {})

    with ThreadPoolExecutor(4) as pool:
        outcomes = [future.result() for future in [pool.submit(run) for _ in range(4)]]
    assert {outcome.state for outcome in outcomes} == {"current"}
    assert sorted(name for outcome in outcomes for name in outcome.applied) == sorted(names(*FILES))
    assert ones(client) == [2, 3]


def test_a_run_whose_time_ends_is_gone_on_with(client: DataApi) -> None:
    deployment.migrate(api(client), FILES[:1], {})
    client.may_go_on.clear()
    timeless = api(client, seconds=0)
    # Its time is up at the first question about the migration, once the ledger is read.
    timeless.rows = lambda *_: [(1, FILES[0].name, FILES[0].checksum)]  # type: ignore[method-assign]
    outcome = deployment.migrate(timeless, FILES, {})
    assert (outcome.state, outcome.applied) == ("running", ())
    assert outcome.statement_id in client.statements
    client.may_go_on.set()
    assert deployment.migrate(api(client), FILES, {}).applied == names(FILES[2])
    assert ones(client) == [2, 3]


def test_a_refresh_does_not_start_beside_another(server: Server) -> None:
    warehouse = empty(server)
    warehouse.client.may_go_on.clear()
    first = deployment.bring_up_to_date(api(warehouse.client, seconds=0), VALUES)
    second = deployment.bring_up_to_date(api(warehouse.client), VALUES)
    assert first.state == second.state == "running"
    assert first.statement_id == second.statement_id
    warehouse.client.may_go_on.set()
    api(warehouse.client).wait(str(first.statement_id))


def test_a_failed_refresh_changes_nothing(server: Server) -> None:
    warehouse = empty(server)
    warehouse.client.fail_at = "DROP TABLE arrivals"
    warehouse.receive([{"event_id": "1"}])
    with pytest.raises(MigrationError, match=r"refresh: statement \d+ of \d+: planted"):
        deployment.bring_up_to_date(api(warehouse.client), VALUES)
    assert warehouse.rows("SELECT * FROM warehouse.unreadable_records") == []
    warehouse.client.fail_at = ""
    warehouse.refresh()
    assert len(warehouse.rows("SELECT * FROM warehouse.unreadable_records")) == 1


@pytest.mark.parametrize("value", ["", "it's", 'say "x"', "a\\b", "a\nb"])
def test_a_value_that_could_end_its_quotes_is_refused(value: str) -> None:
    with pytest.raises(MigrationError, match=r"x\.sql: name is "):
        statements("SELECT '{{name}}';\n", "x.sql", {"name": value})


@pytest.mark.parametrize(
    "files", [["1_one.sql"], ["0001_one.sql", "0003_three.sql"], ["0001_a.sql", "0001_b.sql"]]
)
def test_files_are_named_and_numbered(tmp_path: Path, files: list[str]) -> None:
    for name in files:
        (tmp_path / name).write_text("SELECT 1;\n")
    with pytest.raises(MigrationError):
        load(tmp_path)
