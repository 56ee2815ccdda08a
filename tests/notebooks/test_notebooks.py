"""Notebooks run over a tiny gold, and their answers are right."""

import ast
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import gold
import nbformat
import pytest
from moto.athena.models import QueryResults, athena_backends
from nbclient import NotebookClient
from telemetry.ad_spend import Spend
from tools import spend
from tools.progress import LONGEST_SECONDS

NOTEBOOKS = sorted(Path(gold.__file__).parent.glob("*.ipynb"))


@pytest.fixture
def tables(small_gold: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**small_gold, "GAME_ID": "arena"}.items():
        monkeypatch.setenv(name, value)
    # Tests before may have named tables of an emulator that has ended.
    for name in ("ATHENA_WORKGROUP", "GAMES_TABLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_a_picture(path: Path, tables: None) -> None:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(path.parent)}}
    # A busy machine starts a kernel slowly: the client waits a minute for it unless told otherwise.
    NotebookClient(
        notebook, startup_timeout=LONGEST_SECONDS, timeout=LONGEST_SECONDS, resources=resources
    ).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in shown)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_retention_is_that_of_the_day_and_empty_where_it_is_not_over(tables: None) -> None:
    triangle = gold.answer("retention_triangle", "arena")
    assert len(triangle["cohort_date"]) == 42
    assert [triangle[day][0] for day in ("d1", "d7", "d30")] == [1 / 2, 1 / 8, 1 / 31]
    assert triangle["d1"].isna().iloc[-1]
    assert triangle["d30"].tail(30).isna().all()


def result(path: Path) -> Any:
    """Return what the last cell of a notebook shows, which needs the first one alone."""
    first, *_, last = (
        one.source for one in nbformat.read(path, as_version=4).cells if one.cell_type == "code"
    )
    names: dict[str, Any] = {}
    *statements, shown = ast.parse(last).body
    exec(first, names)
    exec(compile(ast.Module(statements, []), path.name, "exec"), names)
    assert isinstance(shown, ast.Expr)
    return eval(compile(ast.Expression(shown.value), path.name, "eval"), names)


def test_retention_of_all_install_days_is_a_sum_over_a_sum(tables: None) -> None:
    found = result(Path(gold.__file__).with_name("retention.ipynb"))
    cohorts = [(age, 248 * (1 + age % 2)) for age in range(42, 0, -1)]
    for number, share in zip(found["day_number"], found["retention"], strict=True):
        over = [players for age, players in cohorts if number < age]
        assert share == pytest.approx(sum(players // (number + 1) for players in over) / sum(over))
    assert list(found["day_number"]) == [1, 3, 7, 14, 30]


def test_net_flow_does_not_count_the_totals_twice(tables: None) -> None:
    flows = gold.answer("economy_net_flow", "arena")
    assert {(*row,) for row in zip(flows["given"], flows["taken"], flows["net_amount"], strict=True)} == {
        (500, 300, 200)
    }


def test_the_funnel_knows_the_wall(tables: None) -> None:
    levels = gold.answer("progression_funnel", "arena")
    assert list(levels["level_2"]) == ["1", "2"]
    assert list(levels["completion"]) == [0.9, 0.3]
    assert list(levels["attempts_per_completion"]) == [pytest.approx(5 / 3), 3.0]


def test_the_worst_version_comes_first(tables: None) -> None:
    found = gold.answer("crash_free_by_version", "arena")
    assert dict(zip(found["app_version"], found["crash_free_sessions"], strict=True)) == {
        "1.1.0": pytest.approx(0.96),
        "1.0.0": pytest.approx(0.99),
    }
    assert list(found["app_version"]) == ["1.1.0", "1.0.0"]


def test_lifetime_value_is_of_the_players_whose_day_is_over(tables: None) -> None:
    found = gold.answer("lifetime_value", "arena")
    by_day = dict(
        zip(found["day_number"], zip(found["players"], found["ltv_minor"], strict=True), strict=True)
    )
    assert by_day[0] == (420, 10.0)
    assert by_day[41] == (10, 420.0)


def test_variants_are_added_up_over_the_days_of_exposures(tables: None) -> None:
    found = gold.answer("experiments", "arena")
    rows = found[found["day_number"] == 7]
    assert list(rows["variant"]) == ["new", "old"]
    # A day of exposures counts once its seventh day is over.
    assert list(rows["exposed_players"]) == [100 * (42 - 7)] * 2
    assert list(rows["exposed_retention"]) == [0.4, 0.5]
    assert list(rows["exposed_sessions_mean"]) == [1.5, 1.5]


def test_design_events_of_variants_are_added_up_over_the_days_of_exposures(tables: None) -> None:
    found = gold.answer("experiment_design", "arena")
    rows = found[found["day_number"] == 7]
    assert list(zip(rows["name"], rows["variant"], strict=True)) == [("boss", "new"), ("boss", "old")]
    assert list(rows["exposed_players"]) == [100 * (42 - 7)] * 2
    assert list(rows["exposed_sender_share"]) == [0.6, 0.5]
    assert list(rows["exposed_value_mean"]) == [0.15, 0.15]
    assert list(rows["exposed_event_value"]) == [1.5, 1.5]


def test_ads_without_a_currency_are_apart(tables: None) -> None:
    found = gold.answer("ad_revenue", "arena")
    days = 30
    assert dict(zip(found["currency"], found["impressions"], strict=True)) == {"USD": 4 * days, "": days}
    assert dict(zip(found["currency"], found["ecpm_micros"], strict=True)) == {"USD": 5_000_000, "": 0}


@pytest.fixture
def game_days(tables: None) -> Iterator[Any]:
    """The table that keeps costs, on the emulator."""
    keys = (("game_day", "HASH"), ("shard", "RANGE"))
    table = boto3.resource("dynamodb").create_table(
        TableName="costs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],  # type: ignore[typeddict-item]
    )
    yield table
    table.delete()


def in_lake(game: str) -> list[Spend]:
    """Return the costs of a game that SQL reads."""
    rows = gold.table("ad_spend", game).to_dict("records")
    names = ("cohort_date", "install_source", "campaign", "currency", "spend_micros")
    return sorted(Spend(*(row[name] for name in names)) for row in rows)


def test_kept_costs_are_copied_for_sql(game_days: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    today = datetime.now(UTC).date()
    first, second = (Spend(today - timedelta(days), "north", "", "EUR", 5_000_000) for days in (2, 380))
    for game in ("arena", "other"):
        spend.upload(game_days, game, [second, first] if game == "arena" else [first])
        spend.copy(game_days, game, today)
    assert in_lake("arena") == [second, first]
    # A correction takes the place of what was copied, and changes no other game.
    spend.upload(game_days, "arena", [first._replace(micros=7)])
    assert spend.copy(game_days, "arena", today) == 2
    assert in_lake("arena") == [second, first._replace(micros=7)]
    assert in_lake("other") == [first]
    answer = gold.answer("return_on_ad_spend", "arena")
    assert list(answer.columns)[:4] == ["currency", "install_source", "day_number", "spend_micros"]

    # Somebody else uploads and copies while this copy is under way: what they kept is not lost.
    read, third = spend.kept, first._replace(install_source="south")

    def overtaken(*given: Any) -> list[Spend]:
        found = read(*given)
        monkeypatch.setattr(spend, "kept", read)
        spend.upload(game_days, "arena", [third])
        spend.copy(game_days, "arena", today)
        return found

    monkeypatch.setattr(spend, "kept", overtaken)
    assert spend.copy(game_days, "arena", today) == 3
    assert in_lake("arena") == [second, first._replace(micros=7), third]
    assert spend.remove(game_days, "arena", today - timedelta(399), today) == 3
    assert spend.copy(game_days, "arena", today) == 0
    assert (in_lake("arena"), in_lake("other")) == ([], [first])
    # The same where the game has no rows to take away.
    monkeypatch.setattr(spend, "kept", overtaken)
    spend.upload(game_days, "arena", [first])
    assert spend.copy(game_days, "arena", today) == 2
    assert in_lake("arena") == [first, third]


def test_a_lake_without_the_table_says_so(
    tables: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(spend, "LAKE_TABLE", "no_such_table")
    spend._copy(None, "arena", date(2026, 1, 1))  # type: ignore[arg-type]
    told = capsys.readouterr().err
    assert told.startswith("SQL reads earlier costs, because the lake cannot be written: small.no_such_table")


def test_a_table_is_read_by_the_values_of_its_columns(tables: None) -> None:
    day = datetime.now(UTC).date() - timedelta(days=1)
    totals = dict.fromkeys(("country", "app_version", "custom_1", "custom_2"), "*")
    (row,) = gold.table("design", "arena", event_date=day, depth="2", platform="ios", **totals).to_dict(
        "records"
    )
    assert (row["name"], row["design_events"], row["players"], row["value_sum"]) == ("boss:dragon", 4, 2, 3.0)
    assert gold.table("design", "arena", platform="switch").empty
    assert set(gold.table("design", platform="ios")["game_id"]) == {"arena", "other"}


def test_athena_is_asked_for_the_same_rows(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATHENA_WORKGROUP", "primary")
    monkeypatch.setenv("LAKE_DATABASE", "lake")
    _prepare([["name"], ["boss"]], {"name": "varchar"})
    assert list(gold.table("design", "arena", event_date=date(2026, 1, 30), platform="i'os")["name"]) == [
        "boss"
    ]
    (asked,) = athena_backends["123456789012"]["us-east-1"].executions.values()
    assert asked.query == (
        'SELECT * FROM "design" WHERE "game_id" = ? AND "event_date" = CAST(? AS date) AND "platform" = ?'
    )
    assert asked.execution_parameters == ["'arena'", "'2026-01-30'", "'i''os'"]
    with pytest.raises(ValueError, match="not the name"):
        gold.table("design", **{'x" OR 1 = 1 --': "1"})


def test_a_game_without_figures_has_an_empty_answer(tables: None) -> None:
    assert gold.answer("daily_active_players", "unknown").empty


def test_athenas_answer_is_typed(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATHENA_WORKGROUP", "primary")
    monkeypatch.setenv("LAKE_DATABASE", "lake")
    rows = [["event_date", "samples", "p50"], ["2026-01-30", "50", "60.5"], ["2026-01-31", "7", None]]
    _prepare(rows, {"event_date": "date", "samples": "bigint", "p50": "double"})
    found = gold.answer("performance_by_platform", "arena")
    assert list(found["event_date"]) == [date(2026, 1, 30), date(2026, 1, 31)]
    assert list(found["samples"]) == [50, 7]
    assert (found["p50"][0], found["p50"].isna()[1]) == (60.5, True)
    (asked,) = athena_backends["123456789012"]["us-east-1"].executions.values()
    assert asked.execution_parameters == ["'arena'"]
    assert (asked.context, asked.workgroup.name) == ({"Database": "lake"}, "primary")


def _prepare(rows: list[list[Any]], types: dict[str, str]) -> None:
    """Let moto answer the next query so."""
    described: Any = [{"Name": name, "Type": kind} for name, kind in types.items()]
    data: Any = [
        {"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in rows
    ]
    backend = athena_backends["123456789012"]["us-east-1"]
    backend.query_results_queue.append(QueryResults(rows=data, column_info=described))
