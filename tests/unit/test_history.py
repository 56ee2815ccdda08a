"""The history of a game: every figure against the definition, every question bound to its game."""

import csv
import io
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pyarrow
import pytest
import sqlglot
from botocore.validate import ParamValidator
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from metrics_api.history_query import MAX_ROWS, Days, Grain, Question, previous
from metrics_api.lake_answers import lake_reader
from pyiceberg.expressions.visitors import expression_evaluator
from pyiceberg.schema import Schema
from pyiceberg.typedef import Record
from pyiceberg.types import DateType, NestedField, StringType
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from telemetry import lake_reader as lake_module
from telemetry import metric_model
from telemetry.lake_reader import (
    AthenaLake,
    Query,
    StillRunning,
    TooMuchToScan,
    Unanswered,
    Version,
    billed,
    literal,
)
from tools import CommandError
from tools.local_lake import LocalLake, local_lake
from tools.progress import STILL_SECONDS

REPOSITORY = Path(__file__).parents[2]
# The definition itself: what the reader's own model makes of it is judged here.
WRITTEN: dict[str, Any] = json.loads((REPOSITORY / "event-schemas" / "metrics.json").read_text())
COLUMNS: dict[str, Any] = json.loads(
    (REPOSITORY / "infrastructure/modules/lake_tables/tables/gold.json").read_text()
)
TOTALS = ("platform", "country", "app_version", "custom_1", "custom_2", "reason")
# Their rows are of all platforms, countries and versions: no question has both (test_dimensions.py).
CUSTOM = ("custom_1", "custom_2")
PLACES = ("platform", "country", "app_version", *CUSTOM)
GAMES = ("arena", "arena-2")
FIRST = date(2026, 1, 26)
VALUES = {
    "platform": ["*", "*", "ios", "android"],
    "country": ["*", "*", "DE", "FR"],
    "app_version": ["*", "*", "1.0", "2.0'x"],
    "custom_1": ["*", "*", "mage"],
    "custom_2": ["*", "*", "eu"],
    "reason": ["*", "*", "quest"],
    "currency": ["EUR", "USD"],
    "flow": ["source", "sink"],
    "measure": ["fps", "latency_ms"],
}
HOSTILE = (
    "' OR '1'='1",
    "ios' OR game_id = 'arena-2' --",
    "'; DROP TABLE daily; --",
    "\\' OR 1=1 --",
    "''",
    "?",
    "%",
    "CAST('x' AS date)",
    "\N{RIGHT SINGLE QUOTATION MARK} OR 1=1",
    "/* */ ios",
)


def definition(table: str) -> dict[str, dict[str, Any]]:
    """Return the columns and derived metrics of a table as they are written, shared parts filled in."""
    one = WRITTEN["tables"][table]
    return {
        name: WRITTEN["shared"].get(name, {}) | part
        for name, part in (one["columns"] | one.get("derived", {})).items()
    }


def day_of(table: str) -> str:
    return next(n for n in WRITTEN["tables"][table]["grain"] if n in ("event_date", "cohort_date"))


def made(table: str, chance: random.Random) -> list[dict[str, Any]]:
    """Return rows of a table, one at most for each place of its grain, facts at random."""
    one, parts, rows = WRITTEN["tables"][table], definition(table), {}
    for _ in range(400):
        row: dict[str, Any] = {}
        for name, column in parts.items():
            if name == "game_id":
                row[name] = chance.choice(GAMES)
            elif column.get("type") == "date":
                row[name] = FIRST + timedelta(days=chance.randrange(12))
            elif name in one["grain"]:
                values = VALUES.get(name, ["a", "b"])
                row[name] = chance.randrange(3) if column["type"] == "bigint" else chance.choice(values)
            elif column.get("type") == "double":
                row[name] = chance.randrange(1, 400) / 4
            elif "type" in column:
                row[name] = (
                    chance.randrange(0, 50)
                    if "decimal" not in column["type"]
                    else Decimal(chance.randrange(0, 10**12))
                )
        rows[tuple(row[name] for name in one["grain"])] = row
    return list(rows.values())


def value(parts: dict[str, dict[str, Any]], name: str, rows: list[dict[str, Any]]) -> Fraction | None:
    """Return a metric of rows by its definition, exactly."""
    part = parts[name]
    if formula := part.get("formula"):
        top = sum(Fraction(row[formula["numerator"]]) for row in rows)
        bottom = sum(Fraction(row[formula["denominator"]]) for row in rows)
        if not bottom:
            return None
        share = formula.get("scale", 1) * top / bottom
        share = min(share, Fraction(1)) if formula.get("at_most_one") else share
        return 1 - share if formula.get("complement") else share
    if signed := part.get("signed"):
        return sum(
            (signed["signs"][row[signed["by"]]] * Fraction(row[signed["fact"]]) for row in rows), Fraction()
        )
    if len(rows) == 1:
        return Fraction(rows[0][name])
    assert part["adds_over"], f"{name} was added up"
    return sum((Fraction(row[name]) for row in rows), Fraction())


def may_be_added(parts: dict[str, dict[str, Any]], name: str, columns: list[str]) -> bool:
    """Tell whether the definition lets the rows of columns be added to one figure of a metric."""
    part = parts[name]
    facts, free = [name], set()
    if formula := part.get("formula"):
        facts, free = [formula["numerator"], formula["denominator"]], {"event_date"}
    if signed := part.get("signed"):
        facts, free = [signed["fact"]], {signed["by"]}
    return all(
        column in free or all(column in parts[fact].get("adds_over", ()) for fact in facts)
        for column in columns
    )


def start_of(day: date, grain: str) -> date:
    if grain in ("day", "range"):
        return FIRST if grain == "range" else day
    return day - timedelta(days=day.weekday()) if grain == "week" else day.replace(day=1)


@pytest.fixture
def client(metrics_app: Any, dynamodb: Any) -> TestClient:
    for game in GAMES:
        item = {"game_id": game, "name": game, "status": "active", "key_hashes": []}
        dynamodb.Table("games").put_item(Item=item)
    return TestClient(metrics_app)


Row = dict[str, Any]


def chosen(rows: list[Row], asked: dict[str, Any], table: str) -> dict[tuple[str, ...], list[Row]]:
    """Return the rows of a question by period and slice: totals, except of columns in `by`."""
    day, by, filters = day_of(table), asked["by"], asked["filters"]
    totals = [name for name in TOTALS if name in WRITTEN["tables"][table]["grain"]]
    wanted = {name: "*" for name in totals if name not in by} | filters
    found = defaultdict(list)
    for row in rows:
        is_asked = row["game_id"] == asked["game"] and asked["first"] <= row[day] <= asked["last"]
        is_asked = is_asked and all(str(row[name]) == one for name, one in wanted.items())
        if is_asked and all(row[name] != "*" for name in by):
            place = start_of(row[day], asked["grain"]), *(row[name] for name in by)
            found[tuple(map(str, place))].append(row)
    return found


@pytest.mark.parametrize("table", list(WRITTEN["tables"]))
def test_every_figure_is_that_of_its_definition(client: TestClient, gold: DuckGold, table: str) -> None:
    chance = random.Random(table)
    rows, parts, day = made(table, chance), definition(table), day_of(table)
    gold.fill(table, [[row[name] for name in columns_of(table)] for row in rows])
    grain = WRITTEN["tables"][table]["grain"]
    columns = [name for name in grain if name not in ("game_id", day)]
    metrics = [name for name in parts if name not in grain]
    figures = 0
    every_column = columns
    for _ in range(20):
        custom = chance.choice((None, None, *CUSTOM))
        columns = [
            name
            for name in every_column
            if name == custom or name not in (PLACES if custom in every_column else CUSTOM)
        ]
        one = chance.choice(rows)
        first = one[day] - timedelta(days=chance.randrange(3))
        by = chance.sample(columns, chance.randrange(min(3, len(columns) + 1)))
        asked: dict[str, Any] = {
            "game": one["game_id"],
            "grain": chance.choice(("day", "week", "month", "range")),
            "first": first,
            "last": first + timedelta(days=chance.randrange(7)),
            "by": by,
            "filters": {name: str(one[name]) for name in columns if name not in by and chance.random() < 0.5},
        }
        parameters = {"from": first, "to": asked["last"], "grain": asked["grain"]}
        parameters |= {"by": ",".join(by)} if by else {}
        parameters |= {{"format": "ad_format"}.get(name, name): one for name, one in asked["filters"].items()}
        answer = client.get(f"/v1/games/{asked['game']}/history/{table}", params=parameters)
        added = [name for name in every_column if name not in (*by, *asked["filters"], *TOTALS)]
        added = added if asked["grain"] == "day" else [day, *added]
        right = [name for name in metrics if may_be_added(parts, name, added)]
        if not right:
            assert answer.status_code == 422, answer.text
            assert "must not be added up over" in answer.text
            continue
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert [one["name"] for one in found["metrics"]] == right
        assert {one["name"] for one in found["not_answered"]} == set(metrics) - set(right)
        groups = chosen(rows, asked, table)
        assert len(found["rows"]) == len(groups)
        for shown in found["rows"]:
            assert list(shown["slices"]) == by
            began = start_of(date.fromisoformat(shown["from"]), asked["grain"])
            if asked["grain"] == "range":
                assert [shown["from"], shown["to"]] == [str(asked["first"]), str(asked["last"])]
            group = groups[tuple(map(str, (began, *shown["slices"].values())))]
            true = {name: value(parts, name, group) for name in right}
            figures += len(right)
            assert shown["figures"] == {
                name: None if one is None else pytest.approx(float(one), rel=1e-12)
                for name, one in true.items()
            }
    assert figures >= 5


def columns_of(table: str) -> list[str]:
    return list(WRITTEN["tables"][table]["columns"])


def questions() -> Iterator[Question]:
    """Return a question of every table, grain and column."""
    days = Days(FIRST, FIRST + timedelta(days=6))
    for table in metric_model.tables().values():
        columns = [name for name in table.grain if name not in ("game_id", table.day_column)]
        for grain in ("day", "week", "month", "range"):
            for column in columns:
                for by, filters in (((column,), ()), ((), ((column, HOSTILE[1]),))):
                    asked = Question(table, "arena", days, grain, by, filters)
                    right = tuple(one for one in table.metrics.values() if not asked.refusal(one))
                    if right:
                        yield Question(table, "arena", days, grain, by, filters, right)


def conjunction(where: exp.Expression) -> list[exp.Expression]:
    return list(where.flatten()) if isinstance(where, exp.And) else [where]


def games_of(sql: str) -> list[str]:
    """Return what the condition demands of game_id: it stands alone beside AND."""
    (statement,) = sqlglot.parse(sql, read="athena")
    assert isinstance(statement, exp.Select)
    conditions = conjunction(statement.args["where"].this)
    return [
        one.expression.sql() for one in conditions if isinstance(one, exp.EQ) and one.this.sql() == "game_id"
    ]


def with_literals(query: Query) -> str:
    """Return the SQL that Athena runs: each ? replaced by its parameter, in order."""
    parts = query.sql.split("?")
    assert len(parts) == len(query.values) + 1
    values = [*map(literal, query.values), ""]
    return "".join(part + one for part, one in zip(parts, values, strict=True))


def test_athena_takes_every_question_and_finds_its_columns() -> None:
    schema = {
        name: {column["name"]: column["type"] for column in table["columns"]}
        for name, table in COLUMNS.items()
    }
    asked = list(questions())
    assert len(asked) > 150
    for question in asked:
        query = question.query()
        (statement,) = sqlglot.parse(query.sql, read="athena")
        assert isinstance(statement, exp.Select)
        qualify(statement, schema=schema, dialect="athena", validate_qualify_columns=True)
        assert games_of(query.sql) == ["?"]
        assert query.values[0] == "arena"
        assert games_of(with_literals(query)) == ["'arena'"]
        # A column of the query is one of the table: no value of a caller is among the names.
        names = {column.name for column in statement.find_all(exp.Column)}
        assert names <= schema[question.table.name].keys() | {"first_day"} | set(statement.named_selects)


def test_the_judge_of_sql_sees_a_condition_that_a_value_escapes() -> None:
    escaped = "SELECT 1 FROM daily WHERE game_id = 'arena' OR game_id = 'arena-2'"
    assert games_of(escaped) == []
    with pytest.raises(sqlglot.errors.OptimizeError):
        qualify(sqlglot.parse_one("SELECT x FROM daily", read="athena"), schema={"daily": {"y": "int"}})


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_value_escapes_its_game(client: TestClient, gold: DuckGold, hostile: str) -> None:
    row = dict.fromkeys(columns_of("daily"), 1) | {
        "event_date": FIRST,
        **dict.fromkeys(TOTALS[:-1], "*"),
    }
    for game in GAMES:
        for platform in ("*", "ios"):
            shown = row | {"game_id": game, "platform": platform}
            gold.fill("daily", [[shown[name] for name in columns_of("daily")]])
    asked = {"from": str(FIRST), "to": str(FIRST), "platform": hostile}
    answer = client.get("/v1/games/arena/history/daily", params=asked)
    assert (answer.status_code, answer.json()["rows"]) == (200, [])
    (query,) = gold.asked
    # Athena reads the value as one text, and nothing else of the statement changes.
    with_value, with_word = (
        sqlglot.parse_one(
            with_literals(Query(query.sql, values, "daily", "event_date", "arena", FIRST, FIRST)),
            read="athena",
        )
        for values in (query.values, tuple("word" if one == hostile else one for one in query.values))
    )
    literals = [one for one in with_value.find_all(exp.Literal) if one.this == hostile]
    assert len(literals) == 1
    literals[0].replace(exp.Literal.string("word"))
    assert with_value == with_word
    for at in ("by", "metrics", "grain", "compare", "format", "from"):
        refused = client.get("/v1/games/arena/history/daily", params={at: hostile})
        assert refused.status_code == 422
    assert client.get(f"/v1/games/{hostile.replace('/', '')}/history/daily").status_code in (404, 422)
    assert len(gold.asked) == 1


def test_a_ratio_of_several_days_is_a_sum_over_a_sum(client: TestClient, gold: DuckGold) -> None:
    """100 EUR of 10 players on Monday and 20 EUR of 50 on Tuesday: 2 EUR a player and day, not 5.2."""
    names = columns_of("revenue")
    for day, (gross, players) in enumerate(((10_000, 10), (2_000, 50))):
        row = dict.fromkeys(names, 0) | dict.fromkeys(TOTALS[:-1], "*")
        row |= {"event_date": FIRST + timedelta(days=day), "game_id": "arena", "currency": "EUR"}
        row |= {"gross_minor": gross, "active_players": players}
        gold.fill("revenue", [[row[name] for name in names]])
    asked = {"from": "2026-01-26", "to": "2026-02-01", "grain": "week", "currency": "EUR"}
    answer = client.get(
        "/v1/games/arena/history/revenue", params=asked | {"metrics": "arpdau_minor,gross_minor"}
    ).json()
    assert [row["figures"] for row in answer["rows"]] == [{"arpdau_minor": 200.0, "gross_minor": 12_000}]
    assert (answer["rows"][0]["from"], answer["rows"][0]["to"]) == ("2026-01-26", "2026-02-01")


@pytest.mark.parametrize(
    ("table", "asked", "at", "words"),
    [
        (
            "daily",
            {"metrics": "active_players", "grain": "week"},
            "metrics",
            "over event_date: ask with grain=day",
        ),
        (
            "revenue",
            {},
            "metrics",
            "over currency: choose one with currency= or tell them apart with by=currency",
        ),
        ("ads", {"metrics": "revenue_micros"}, "metrics", "with currency="),
        ("ads", {"metrics": "players", "currency": "EUR"}, "metrics", "choose one with ad_format="),
        ("daily", {"metrics": "revenue"}, "metrics", "daily has no revenue; it has active_players"),
        ("daily", {"by": "currency"}, "by", "daily has no currency; it has platform, country, app_version"),
        ("daily", {"currency": "EUR"}, "currency", "daily has no such column"),
        ("daily", {"by": "platform,country,app_version"}, "by", "3 columns are asked for, at most 2"),
        ("daily", {"from": "2025-01-01", "to": "2026-03-01"}, "from", "at most 400"),
        ("daily", {"from": "2026-03-02", "to": "2026-03-01"}, "from", "2026-03-02 is after 2026-03-01"),
        ("daily", {"from": "20260301"}, "from", "YYYY-MM-DD"),
        ("daily", {"plattform": "ios"}, "plattform", "this route takes"),
        ("retention", {"day_number": "x"}, "day_number", "integer"),
    ],
)
def test_a_question_without_a_right_answer_is_refused_with_what_to_ask(
    client: TestClient, gold: DuckGold, table: str, asked: dict[str, str], at: str, words: str
) -> None:
    answer = client.get(f"/v1/games/arena/history/{table}", params=asked)
    assert answer.status_code == 422, answer.text
    errors = answer.json()["errors"]
    assert {error["pointer"] for error in errors} == {f"/query/{at}"}
    assert words in " ".join(error["detail"] for error in errors)
    assert not gold.asked


def test_an_unknown_table_names_the_known_ones(client: TestClient) -> None:
    answer = client.get("/v1/games/arena/history/players")
    assert answer.status_code == 404
    assert "There is no table players; the tables are daily, revenue" in answer.json()["detail"]
    assert client.get("/v1/games/nobodys/history/daily").status_code == 404


def test_the_tables_are_those_of_the_model(client: TestClient) -> None:
    tables = client.get("/v1/games/arena/history").json()["tables"]
    assert [table["name"] for table in tables] == list(WRITTEN["tables"])
    ads = next(table for table in tables if table["name"] == "ads")
    assert {one["name"]: (one["parameter"], one["has_totals"]) for one in ads["dimensions"]} == {
        "platform": ("platform", True),
        "country": ("country", True),
        "app_version": ("app_version", True),
        "network": ("network", False),
        "placement": ("placement", False),
        "format": ("ad_format", False),
        "currency": ("currency", False),
    }


def fill_daily(gold: DuckGold, day: date, **figures: Any) -> None:
    names = columns_of("daily")
    row = dict.fromkeys(names, 0) | dict.fromkeys(TOTALS[:-1], "*")
    row |= {"event_date": day, "game_id": "arena"} | figures
    gold.fill("daily", [[row[name] for name in names]])


def test_a_range_is_compared_with_the_one_before(client: TestClient, gold: DuckGold) -> None:
    for number in range(14):
        fill_daily(gold, FIRST + timedelta(days=number), active_players=100 + number)
    asked = {"from": "2026-02-02", "to": "2026-02-08", "metrics": "active_players", "compare": "previous"}
    answer = client.get("/v1/games/arena/history/daily", params=asked).json()
    assert [row["figures"]["active_players"] for row in answer["rows"]] == list(range(107, 114))
    before = answer["previous"]
    assert (before["from"], before["to"]) == ("2026-01-26", "2026-02-01")
    assert [row["figures"]["active_players"] for row in before["rows"]] == list(range(100, 107))
    lines = client.get("/v1/games/arena/history/daily", params=asked | {"format": "csv"})
    assert lines.headers["content-type"] == "text/csv; charset=utf-8"
    assert lines.headers["content-disposition"] == (
        'attachment; filename="arena-daily-2026-02-02-2026-02-08.csv"'
    )
    rows = list(csv.reader(io.StringIO(lines.text)))
    assert rows[0] == ["range", "from", "to", "active_players"]
    assert rows[1] == ["current", "2026-02-02", "2026-02-02", "107"]
    assert rows[8] == ["previous", "2026-01-26", "2026-01-26", "100"]


@pytest.mark.parametrize(
    ("grain", "days", "before"),
    [
        ("day", ("2026-03-10", "2026-03-12"), ("2026-03-07", "2026-03-09")),
        ("range", ("2026-03-02", "2026-03-11"), ("2026-02-20", "2026-03-01")),
        ("week", ("2026-03-02", "2026-03-15"), ("2026-02-16", "2026-03-01")),
        ("week", ("2026-03-02", "2026-03-11"), ("2026-02-16", "2026-02-25")),
        ("month", ("2026-02-01", "2026-02-28"), ("2026-01-01", "2026-01-31")),
        ("month", ("2026-01-01", "2026-03-31"), ("2025-10-01", "2025-12-31")),
        ("month", ("2024-03-01", "2024-03-30"), ("2024-02-01", "2024-02-29")),
        ("month", ("2026-01-15", "2026-03-10"), ("2025-10-15", "2025-12-10")),
    ],
)
def test_the_range_before_has_the_same_weekdays_or_months(
    grain: Grain, days: tuple[str, str], before: tuple[str, str]
) -> None:
    first, last = map(date.fromisoformat, days)
    assert previous(Days(first, last), grain) == Days(*map(date.fromisoformat, before))


def test_a_cell_that_a_spreadsheet_would_run_is_text(client: TestClient, gold: DuckGold) -> None:
    fill_daily(gold, FIRST, app_version="=HYPERLINK(1)", active_players=3)
    asked = {"from": str(FIRST), "to": str(FIRST), "by": "app_version", "metrics": "active_players"}
    lines = client.get("/v1/games/arena/history/daily", params=asked | {"format": "csv"}).text
    assert "'=HYPERLINK(1),3" in lines
    shown = client.get("/v1/games/arena/history/daily", params=asked).json()
    assert shown["rows"][0]["slices"] == {"app_version": "=HYPERLINK(1)"}


def test_an_answer_is_kept_until_the_table_changes(client: TestClient, gold: DuckGold) -> None:
    fill_daily(gold, FIRST, active_players=3)
    asked = {"from": str(FIRST), "to": str(FIRST), "metrics": "active_players"}
    first, again = (client.get("/v1/games/arena/history/daily", params=asked).json() for _ in range(2))
    assert len(gold.asked) == 1
    assert first["cost"] == {
        "scanned_bytes": 12_000_000,
        "usd": pytest.approx(12 * 1024**2 * 5 / 1024**4),
        "kept": False,
    }
    assert again["cost"] == {"scanned_bytes": 0, "usd": 0, "kept": True}
    assert (first["rows"], first["updated_at"]) == (again["rows"], "2026-03-01T04:00:00.000Z")
    fill_daily(gold, FIRST, platform="ios", active_players=2)
    client.get("/v1/games/arena/history/daily", params=asked)
    assert len(gold.asked) == 2


def test_too_many_rows_are_refused(client: TestClient, gold: DuckGold) -> None:
    gold.database.execute(
        f"INSERT INTO daily (event_date, game_id, {', '.join(TOTALS[:-1])}, active_players)"
        f" SELECT DATE '{FIRST}', 'arena', '*', '*', 'v' || i, '*', '*', 1 FROM range({MAX_ROWS + 1}) AS t(i)"
    )
    asked = {"from": str(FIRST), "to": str(FIRST), "by": "app_version", "metrics": "active_players"}
    answer = client.get("/v1/games/arena/history/daily", params=asked)
    assert answer.status_code == 422
    assert "more than 2000 rows: ask for fewer days" in answer.text
    gold.database.execute("DELETE FROM daily WHERE app_version = 'v0'")
    assert len(client.get("/v1/games/arena/history/daily", params=asked).json()["rows"]) == MAX_ROWS


def test_without_a_lake_there_is_no_history(
    client: TestClient, metrics_app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(metrics_app.dependency_overrides, lake_reader)
    monkeypatch.delenv("ATHENA_WORKGROUP", raising=False)
    lake_module.reader.cache_clear()
    answer = client.get("/v1/games/arena/history/daily")
    assert (answer.status_code, answer.json()["detail"]) == (
        503,
        "This API runs without a lake: it has no history of events.",
    )


class Athena:
    """Athena's answers, state by state; each call is held against the service's model."""

    def __init__(self, *states: Any, reason: str = "", scanned: int = 0) -> None:
        self.states, self.reason, self.scanned, self.started = list(states), reason, scanned, {}
        self.model = boto3.client("athena", region_name="us-east-1").meta.service_model
        self.calls: list[dict[str, Any]] = []

    def check(self, operation: str, given: dict[str, Any]) -> None:
        report = ParamValidator().validate(given, self.model.operation_model(operation).input_shape)
        assert not report.has_errors(), report.generate_report()

    def start_query_execution(self, **given: Any) -> dict[str, str]:
        self.check("StartQueryExecution", given)
        self.calls.append(given)
        token = given["ClientRequestToken"]
        return {"QueryExecutionId": self.started.setdefault(token, f"q-{len(self.started)}")}

    def get_query_execution(self, **given: Any) -> dict[str, Any]:
        self.check("GetQueryExecution", given)
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        status = {"State": state, "StateChangeReason": self.reason}
        execution = {"QueryExecutionId": given["QueryExecutionId"], "Status": status}
        return {"QueryExecution": execution | {"Statistics": {"DataScannedInBytes": self.scanned}}}

    def get_paginator(self, name: str) -> Any:
        assert name == "get_query_results"
        return self

    def paginate(self, **given: Any) -> list[dict[str, Any]]:
        self.check("GetQueryResults", given)
        rows = [["first_day", "active_players"], ["2026-01-26", "3"], ["2026-01-27", None]]
        cells = [[{"VarCharValue": one} if one else {} for one in row] for row in rows]
        return [{"ResultSet": {"Rows": [{"Data": row} for row in part]}} for part in (cells[:2], cells[2:])]


class Glue:
    def get_table(self, DatabaseName: str, Name: str) -> dict[str, Any]:  # noqa: N803
        assert (DatabaseName, Name) == ("lake", "daily")
        parameters = {"metadata_location": "s3://lake/gold/daily/metadata/7.json"}
        return {"Table": {"Parameters": parameters, "UpdateTime": datetime(2026, 3, 1, 4, tzinfo=UTC)}}


def athena_lake(athena: Athena, wait_seconds: float = 5) -> AthenaLake:
    made: Any = AthenaLake
    gold: AthenaLake = made(athena, Glue(), "lake", "metrics-api", wait_seconds=wait_seconds)
    return gold


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_module.time, "sleep", lambda seconds: None)


ASKED = Query("SELECT ?", ("it's",), "daily", "event_date", "arena", FIRST, FIRST)
VERSION = Version("7", None)


def test_athena_is_asked_with_bound_values_and_all_pages_are_read(at_once: None) -> None:
    athena = Athena("QUEUED", "RUNNING", "SUCCEEDED", scanned=11 * 1024**2 + 1)
    result = athena_lake(athena).run(ASKED, VERSION)
    assert result.rows == [("2026-01-26", "3"), ("2026-01-27", None)]
    assert (result.scanned_bytes, result.billed_bytes) == (11 * 1024**2 + 1, 12 * 1024**2)
    (call,) = athena.calls
    assert call["ExecutionParameters"] == ["'it''s'"]
    assert (call["WorkGroup"], call["QueryExecutionContext"]) == ("metrics-api", {"Database": "lake"})


def test_a_query_that_goes_on_is_taken_up_again_and_runs_once() -> None:
    athena = Athena("RUNNING")
    for _ in range(2):
        with pytest.raises(StillRunning):
            athena_lake(athena, wait_seconds=0).run(ASKED, VERSION)
    assert len(athena.started) == 1
    with pytest.raises(StillRunning):
        athena_lake(athena, wait_seconds=0).run(ASKED, Version("8", None))
    assert len(athena.started) == 2


def test_a_failed_query_is_started_once_more(at_once: None) -> None:
    athena = Athena("FAILED", "SUCCEEDED", reason="GENERIC_INTERNAL_ERROR")
    assert athena_lake(athena).run(ASKED, VERSION).rows
    athena = Athena("FAILED", reason="GENERIC_INTERNAL_ERROR")
    with pytest.raises(Unanswered, match="cannot be read at the moment"):
        athena_lake(athena).run(ASKED, VERSION)
    assert len(athena.started) == 2


def test_a_query_above_the_limit_is_not_repeated(at_once: None) -> None:
    athena = Athena("CANCELLED", reason="Bytes scanned limit was exceeded")
    with pytest.raises(TooMuchToScan):
        athena_lake(athena).run(ASKED, VERSION)
    assert len(athena.started) == 1


def test_the_api_answers_as_athena_does(client: TestClient, metrics_app: Any, at_once: None) -> None:
    url = "/v1/games/arena/history/daily?from=2026-01-26&to=2026-01-27&metrics=active_players"
    for athena, status in (
        (Athena("RUNNING"), 202),
        (Athena("CANCELLED", reason="Bytes scanned limit was exceeded"), 422),
        (Athena("FAILED"), 503),
        (Athena("SUCCEEDED", scanned=1), 200),
    ):
        metrics_app.dependency_overrides[lake_reader] = partial(athena_lake, athena, 0.01)
        answer = client.get(url)
        assert answer.status_code == status, answer.text
        if status == 202:
            assert answer.headers["retry-after"] == "1"
            assert answer.headers["cache-control"] == "no-store"
            assert answer.json()["status"] == "running"
    found = answer.json()
    assert [row["figures"]["active_players"] for row in found["rows"]] == [3, None]
    assert found["updated_at"] == "2026-03-01T04:00:00.000Z"
    assert found["cost"]["usd"] == pytest.approx(10 * 1024**2 * 5 / 1024**4)


@pytest.mark.parametrize(
    ("scanned", "megabytes"), [(0, 10), (10 * 1024**2, 10), (10 * 1024**2 + 1, 11), (1024**4, 1024**2)]
)
def test_athena_bills_whole_megabytes_and_ten_at_least(scanned: int, megabytes: int) -> None:
    assert billed(scanned) == megabytes * 1024**2


def same(reader: Any, /) -> Any:
    return reader


class Files:
    """An Iceberg table whose scan leaves out what a filter leaves out."""

    metadata_location = "s3://lake/gold/daily/metadata/7.json"
    metadata = SimpleNamespace(last_updated_ms=1_772_337_600_000)

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.read: list[Row] = []

    def scan(self, row_filter: Any, selected_fields: tuple[str, ...]) -> "Files":
        schema = Schema(
            NestedField(1, "game_id", StringType(), required=False),
            NestedField(2, "event_date", DateType(), required=False),
        )
        keeps = expression_evaluator(schema, row_filter, case_sensitive=True)
        days = [(row["event_date"] - date(1970, 1, 1)).days for row in self.rows]
        self.read = [
            row for row, day in zip(self.rows, days, strict=True) if keeps(Record(row["game_id"], day))
        ]
        return self

    def to_arrow(self) -> Any:
        return pyarrow.Table.from_pylist(self.read)


def test_the_local_reader_reads_the_rows_of_the_question_and_answers_as_athena(
    client: TestClient, metrics_app: Any, gold: DuckGold, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row for row in made("daily", random.Random(1)) if row["platform"] != "android"]
    gold.fill("daily", [[row[name] for name in columns_of("daily")] for row in rows])
    files = Files(rows)
    monkeypatch.setattr("tools.gold.iceberg", lambda table: files)
    url = "/v1/games/arena/history/daily?from=2026-01-27&to=2026-02-03&by=platform"
    answers = []
    for reader in (gold, LocalLake(STILL_SECONDS)):
        monkeypatch.setitem(metrics_app.dependency_overrides, lake_reader, partial(same, reader))
        answers.append(client.get(url).json())
    assert answers[0]["rows"]
    assert answers[0]["rows"] == answers[1]["rows"]
    assert answers[1]["updated_at"] == "2026-03-01T04:00:00.000Z"
    assert answers[1]["cost"] == {"scanned_bytes": None, "usd": None, "kept": False}
    days = {row["event_date"] for row in files.read}
    assert (min(days), max(days)) == (date(2026, 1, 27), date(2026, 2, 3))
    assert {row["game_id"] for row in files.read} == {"arena"}


def test_a_table_that_is_not_there_is_told(
    client: TestClient, metrics_app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(table: str) -> Any:
        raise CommandError(f"lake.{table} is not there")

    monkeypatch.setattr("tools.gold.iceberg", missing)
    monkeypatch.setitem(metrics_app.dependency_overrides, lake_reader, local_lake)
    answer = client.get("/v1/games/arena/history/daily")
    assert (answer.status_code, answer.json()["detail"]) == (503, "lake.daily is not there")
