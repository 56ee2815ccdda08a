"""Questions about single events: every figure against its definition, every scan bound to its game."""

import csv
import io
import math
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import boto3
import made_events
import nasty_engines
import nasty_game
import pytest
import silver_events
import sqlglot
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from made_events import HOSTILE
from metrics_api import explore_events, explore_fields
from metrics_api.explore_models import EventsQuestion
from metrics_api.history_query import MAX_ROWS, Days
from metrics_api.lake import Query, literal
from moto import mock_aws
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from telemetry import catalog

Event = dict[str, Any]
Question = dict[str, Any]
FIRST, LAST = date(2026, 1, 26), date(2026, 2, 6)
GAMES = ("arena", "arena-2", nasty_game.GAME)
NUMBERS = ("integer", "number")


@pytest.fixture
def client(metrics_app: Any, dynamodb: Any) -> TestClient:
    for game in GAMES:
        item = {"game_id": game, "name": game, "status": "active", "key_hashes": []}
        dynamodb.Table("games").put_item(Item=item)
    return TestClient(metrics_app)


@pytest.fixture(scope="module")
def nasty() -> list[Event]:
    """What bronze has of the nasty game, and of another game the same with other players."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        for table in nasty_engines.TABLES:
            patch.setenv(f"{table.upper()}_TABLE", table)
        nasty_engines.tables()
        sent = nasty_game.sent()
        lines: list[Event] = nasty_engines.processed(sent, boto3.client("dynamodb")).lines("bronze")
    ids = [line["event_id"] for line in lines]
    # The game has copies; the processor, and silver after it, keep one of each.
    assert len(set(ids)) == len(ids) < len(sent)
    others = [line | {"game_id": "arena", "player_id": f"other-{line['player_id']}"} for line in lines]
    return [*lines, *others]


# The definition, without any code of the API.


def value(event: Event, name: str) -> Any:
    """Return the value of a field of an event, as JSON has it."""
    found: Any = event
    for part in name.split("."):
        found = (found or {}).get(part)
    return found


def holds(event: Event, one: Question) -> bool:
    """Tell whether an event passes a filter."""
    found, values = value(event, one["field"]), one.get("values", [])
    match one.get("op", "is"):
        case "is_set":
            return found is not None
        case "is_not_set":
            return found is None
        case "is":
            return found in values and found is not None
        case "is_not":
            return found not in values
        case "at_least":
            return found is not None and found >= values[0]
        case "at_most":
            return found is not None and found <= values[0]
    raise AssertionError(one)


def start_of(day: date, grain: str) -> date:
    if grain == "range":
        return date.min
    if grain == "day":
        return day
    return day - timedelta(days=day.weekday()) if grain == "week" else day.replace(day=1)


def percentile(values: list[Any], percent: int) -> Fraction:
    """Return the value at a place between 0 and the last one, on the line between its neighbours."""
    ordered = sorted(map(Fraction, values))
    place = Fraction(percent, 100) * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (place - math.floor(place)) * (high - low)


def figure(events: list[Event], measure: Question) -> Any:
    """Return what a measure says of events."""
    match measure["of"]:
        case "count":
            return len(events)
        case "players":
            return len({event["player_id"] for event in events})
    values = [value(event, measure["field"]) for event in events]
    if measure["of"] == "percentile":
        return percentile(values, measure["percentile"])
    total = sum(map(Fraction, values), Fraction())
    return total if measure["of"] == "sum" else total / len(values)


Rows = dict[tuple[Any, ...], tuple[Any, int]]


def of_game(lines: list[Event], game: str, asked: Question) -> list[Event]:
    """Return a game's events of the range."""
    return [
        line
        for line in lines
        if line["game_id"] == game and asked["from"] <= line["event_date"] <= asked["to"]
    ]


def true_rows(lines: list[Event], game: str, asked: Question) -> Rows:
    """Return the figures of a question by period and slice."""
    groups = defaultdict(list)
    for line in of_game(lines, game, asked):
        if asked.get("event", line["event_type"]) != line["event_type"]:
            continue
        if not all(holds(line, one) for one in asked.get("where", [])):
            continue
        if (measured := asked["measure"].get("field")) and value(line, measured) is None:
            continue
        began = start_of(date.fromisoformat(line["event_date"]), asked["grain"])
        groups[(began, *(written(value(line, name)) for name in asked["by"]))].append(line)
    return {place: (figure(found, asked["measure"]), len(found)) for place, found in groups.items()}


def written(found: Any) -> Any:
    """Return a value as the slices of an answer write it."""
    return {True: "true", False: "false"}[found] if isinstance(found, bool) else found


def said(answer: Question, grain: str) -> Rows:
    """Return the same of an answer."""
    found = {
        (start_of(date.fromisoformat(row["from"]), grain), *row["slices"].values()): (
            row["figure"],
            row["events"],
        )
        for row in answer["rows"]
    }
    assert len(found) == len(answer["rows"])
    return found


def same(found: Rows, true: Rows) -> bool:
    """Tell whether figures agree: whole ones exactly."""
    if found.keys() != true.keys():
        return False
    return all(
        found[place][1] == events
        and (
            found[place][0] == one
            if isinstance(found[place][0], int)
            else found[place][0] == pytest.approx(float(one), rel=1e-9, abs=1e-9)
        )
        for place, (one, events) in true.items()
    )


def questions(lines: list[Event], seed: str, count: int) -> Iterator[tuple[str, Question]]:
    """Yield questions at random about what there is, with the game."""
    chance = random.Random(seed)
    shared = ["platform", "country", "app_version", "bot", "late", "verified", "client.locale"]
    schemas = {
        kind: schema["properties"] for (kind, _), schema in catalog.payloads(catalog.documents()).items()
    }
    for number in range(count):
        line = chance.choice(lines)
        own = {f"payload.{n}": one["type"] for n, one in schemas[line["event_type"]].items()}
        own = {n: one for n, one in own.items() if one != "object"}
        numbers = [n for n, one in own.items() if one in NUMBERS]
        fields = [*shared, *(n for n, one in own.items() if one != "number")]
        by = chance.sample(fields, chance.randrange(3))
        where = [
            filtered(chance, line, name, own.get(name)) for name in chance.sample(fields, chance.randrange(3))
        ]
        if "payload.currency" in own and "payload.currency" not in by:
            where.append({"field": "payload.currency", "values": [value(line, "payload.currency") or "EUR"]})
        of = ("count", "players", "sum", "mean", "percentile")[number % 5]
        if of not in ("count", "players") and (not numbers or line["event_type"] == "refund"):
            of = "count"
        measure: Question = {"of": of}
        if of not in ("count", "players"):
            measure["field"] = chance.choice(numbers)
        if of == "percentile":
            measure["percentile"] = chance.choice((1, 25, 50, 50, 90, 99))
        day = date.fromisoformat(line["event_date"])
        first = day - timedelta(days=chance.randrange(4))
        yield (
            line["game_id"],
            {
                "kind": "events",
                "event": line["event_type"],
                "from": str(first),
                "to": str(first + timedelta(days=chance.randrange(4, 20))),
                "grain": chance.choice(("day", "week", "month", "range")),
                "measure": measure,
                "by": by,
                "where": where,
            },
        )


def filtered(chance: random.Random, line: Event, name: str, kind: str | None) -> Question:
    """Return a filter of a field, mostly one that the event passes."""
    found = value(line, name)
    if found is None or chance.random() < 0.2:
        return {"field": name, "op": chance.choice(("is_set", "is_not_set"))}
    if kind in NUMBERS and found < 10**15:
        return {
            "field": name,
            "op": chance.choice(("at_least", "at_most", "is", "is_not")),
            "values": [found],
        }
    if kind in NUMBERS:
        return {"field": name, "op": "at_least", "values": [2]}
    return {"field": name, "op": chance.choice(("is", "is_not")), "values": [found]}


def check(client: TestClient, gold: DuckGold, lines: list[Event], asked: list[tuple[str, Question]]) -> int:
    """Ask questions and compare each answer with its definition; return how many rows there were."""
    gold.fill_silver(lines)
    rows = 0
    for game, question in asked:
        answer = client.post(f"/v1/games/{game}/explore", json=question)
        assert answer.status_code == 200, (question, answer.text)
        true = true_rows(lines, game, question)
        assert same(said(answer.json(), question["grain"]), true), (question, answer.json()["rows"], true)
        rows += len(true)
    return rows


def test_every_figure_of_the_nasty_game_is_that_of_its_definition(
    client: TestClient, gold: DuckGold, nasty: list[Event]
) -> None:
    assert check(client, gold, nasty, list(questions(nasty, "nasty", 150))) > 200


def test_every_figure_of_events_at_random_is_that_of_its_definition(
    client: TestClient, gold: DuckGold
) -> None:
    lines = made_events.events("random", 4000)
    assert check(client, gold, lines, list(questions(lines, "random", 200))) > 1000


def test_the_judge_of_figures_sees_a_wrong_one(nasty: list[Event]) -> None:
    """A sum that is one too high, a missing row, an event of another game."""
    asked = {
        "event": "purchase",
        "from": "2024-02-01",
        "to": "2024-03-31",
        "grain": "range",
        "by": ["payload.currency"],
        "measure": {"of": "sum", "field": "payload.amount_minor"},
    }
    true = true_rows(nasty, nasty_game.GAME, asked)
    assert len(true) == 3
    assert same(dict(true), true)
    place = next(iter(true))
    assert not same(true | {place: (int(true[place][0]) + 1, true[place][1])}, true)
    assert not same({place: true[place]}, true)
    mixed = [line | {"game_id": nasty_game.GAME} for line in nasty]
    assert not same(true_rows(mixed, nasty_game.GAME, asked), true)


def asked_events(**fields: Any) -> Question:
    return {"kind": "events", "from": str(FIRST), "to": str(LAST), **fields}


def test_a_sandbox_purchase_counts_until_a_filter_leaves_it_out(
    client: TestClient, gold: DuckGold, nasty: list[Event]
) -> None:
    """The buyer has paid four times: once in the store's test environment, and once for a trial."""
    gold.fill_silver(nasty)
    asked = asked_events(
        event="purchase",
        grain="range",
        measure={"of": "sum", "field": "payload.amount_minor"},
        where=[
            {"field": "payload.currency", "values": ["EUR"]},
            {"field": "payload.tax_minor", "op": "is_set"},
        ],
    ) | {"from": "2024-02-28", "to": "2024-03-03"}
    for more, events in (
        ([], 4),
        ([{"field": "payload.sandbox", "op": "is_not", "values": [True]}], 3),
        ([{"field": "payload.purchase_kind", "op": "is_not", "values": ["trial"]}], 3),
    ):
        question = asked | {"where": [*asked["where"], *more]}
        (row,) = client.post("/v1/games/nasty/explore", json=question).json()["rows"]
        assert (row["figure"], row["events"]) == (101 * events, events)


def test_no_event_of_another_game_counts(client: TestClient, gold: DuckGold) -> None:
    lines = made_events.events("others", 500)
    gold.fill_silver(line for line in lines if line["game_id"] == "arena")
    asked = asked_events(measure={"of": "players"}, by=["event_type"])
    before = client.post("/v1/games/arena/explore", json=asked).json()
    gold.fill_silver(line for line in lines if line["game_id"] == "arena-2")
    after = client.post("/v1/games/arena/explore", json=asked).json()
    assert len(gold.asked) == 2
    assert before["rows"] == after["rows"] != []
    others = client.post("/v1/games/arena-2/explore", json=asked).json()
    assert others["rows"] != after["rows"]


# The judges of SQL.


def scans(sql: str) -> list[exp.Select]:
    """Return the parts of a statement that read silver."""
    (statement,) = sqlglot.parse(sql, read="athena")
    assert isinstance(statement, exp.Select)
    return [
        select
        for select in statement.find_all(exp.Select)
        if (source := select.args.get("from_"))
        and isinstance(source.this, exp.Table)
        and source.this.name == "events"
    ]


def games_of(scan: exp.Select) -> list[str]:
    """Return what the condition of a scan demands of game_id: it stands alone beside AND."""
    where = scan.args["where"].this
    conditions = list(where.flatten()) if isinstance(where, exp.And) else [where]
    return [
        one.expression.sql() for one in conditions if isinstance(one, exp.EQ) and one.this.sql() == "game_id"
    ]


def with_literals(query: Query) -> str:
    """Return the SQL that Athena runs: each ? replaced by its parameter, in order."""
    parts = query.sql.split("?")
    assert len(parts) == len(query.values) + 1
    values = [*map(literal, query.values), ""]
    return "".join(part + one for part, one in zip(parts, values, strict=True))


SCHEMA = {"events": silver_events.TYPES}


def judge(query: Query) -> None:
    """Hold a query against Athena's grammar, the columns of silver, and the rule of one game."""
    (statement,) = sqlglot.parse(query.sql, read="athena")
    assert isinstance(statement, exp.Select)
    qualify(statement.copy(), schema=SCHEMA, dialect="athena", validate_qualify_columns=True)
    tables = {table.name for table in statement.find_all(exp.Table)}
    assert tables == {"events"}
    found = scans(query.sql)
    assert found
    assert [games_of(scan) for scan in found] == [["?"]] * len(found)
    bound = [games_of(scan) for scan in scans(with_literals(query))]
    assert bound == [[literal(query.game_id)]] * len(found)
    # A literal of the text is a number of the code, or the unit of a date.
    texts = {one.this for one in statement.find_all(exp.Literal) if one.is_string}
    assert texts <= {"week", "month", "day", "millisecond", "1970-01-01 00:00:00"}
    # A reader without an engine of its own reads these columns alone.
    named = {column.name for scan in found for column in columns_of(scan)}
    assert named <= set(query.columns) <= silver_events.TYPES.keys()


def columns_of(scan: exp.Select) -> Iterator[exp.Column]:
    """Yield the columns of silver that a scan names: of payload."x" it is payload."""
    for column in scan.find_all(exp.Column):
        yield exp.column(column.parts[0].name)


def compiled(question: Question, game: str = "arena") -> Query:
    asked = EventsQuestion.model_validate(question)
    return explore_events.query(asked, game, Days(FIRST, LAST))


def test_athena_takes_every_question_and_finds_its_columns(nasty: list[Event]) -> None:
    lines = [*nasty, *made_events.events("athena", 500)]
    for game, question in questions(lines, "athena", 300):
        judge(compiled(question, game))


def test_every_field_has_the_type_that_silver_has() -> None:
    """A property that is a number of one event and a text of another is kept as text."""
    database = DuckGold().database
    stored = {"string": "VARCHAR", "bigint": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN"}
    fields = [field for event in explore_fields.events() for field in explore_fields.of(event).values()]
    assert len(fields) > 300
    for field in fields:
        found = database.sql(f"SELECT {field.sql} AS one FROM events").types[0]
        assert str(found) == stored[field.kind], field.name
    assert any(field.sql.startswith("TRY_CAST") for field in fields)


def test_amounts_of_a_currency_are_known() -> None:
    """What the schemas describe as an amount is money, and nothing else is."""
    for event in explore_fields.events():
        for field in explore_fields.of(event).values():
            is_amount = re.search(
                r"minor unit|millionths of the currency|^Amount|^Balance", field.description
            )
            assert field.is_money == (field.kind in ("bigint", "double") and bool(is_amount)), field


def test_the_judge_of_sql_sees_what_is_wrong() -> None:
    good = compiled(asked_events(event="purchase", where=[{"field": "payload.store", "values": ["x"]}]))
    judge(good)
    for before, after in (
        ("game_id = ?", "game_id <> ?"),
        ("game_id = ?", "1 = 1"),
        ("AND event_type", "OR event_type"),
        ('payload."store"', 'paid."store"'),
        ("FROM events", "FROM others"),
        ("event_type = ?", "event_type = 'x'"),
    ):
        assert before in good.sql
        wrong = Query(
            good.sql.replace(before, after, 1),
            good.values,
            "events",
            "event_date",
            "arena",
            FIRST,
            LAST,
            good.columns,
        )
        with pytest.raises((AssertionError, sqlglot.errors.SqlglotError)):
            judge(wrong)
    # The first value is bound where the last one belongs.
    turned = Query(good.sql, good.values[::-1], "events", "event_date", "arena", FIRST, LAST, good.columns)
    with pytest.raises(AssertionError):
        judge(turned)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_value_escapes_its_game(client: TestClient, gold: DuckGold, hostile: str) -> None:
    lines = made_events.events("hostile", 600, ("design",))
    gold.fill_silver(lines)
    asked = asked_events(
        event="design", grain="range", where=[{"field": "payload.name", "values": [hostile]}]
    )
    answer = client.post("/v1/games/arena/explore", json=asked)
    assert answer.status_code == 200, answer.text
    true = true_rows(lines, "arena", asked | {"by": [], "measure": {"of": "count"}})
    assert same(said(answer.json(), "range"), true)
    (query,) = gold.asked
    judge(query)
    # Athena reads the value as one text, and nothing else of the statement changes.
    word = tuple("word" if one == hostile else one for one in query.values)
    other = Query(query.sql, word, "events", "event_date", "arena", FIRST, LAST)
    with_value, with_word = (sqlglot.parse_one(with_literals(one), read="athena") for one in (query, other))
    (found,) = (one for one in with_value.find_all(exp.Literal) if one.this == hostile)
    found.replace(exp.Literal.string("word"))
    assert with_value == with_word
    for changed in (
        {"event": hostile},
        {"by": [hostile]},
        {"grain": hostile},
        {"from": hostile},
        {"measure": {"of": hostile}},
        {"measure": {"of": "sum", "field": hostile}},
        {"where": [{"field": hostile, "values": ["x"]}]},
        {"where": [{"field": "platform", "op": hostile, "values": ["x"]}]},
        {hostile: "x"},
    ):
        assert client.post("/v1/games/arena/explore", json=asked | changed).status_code == 422
    assert len(gold.asked) == 1


REFUSALS: list[tuple[Question, str, str]] = [
    ({"event": "purchased"}, "event", "there is no event purchased; there are ad_impression, crash"),
    ({"by": ["payload.store"]}, "by", "these events have no payload.store; they have event_type"),
    ({"event": "purchase", "by": ["platform", "platform"]}, "by", "a field is named twice"),
    ({"event": "performance", "by": ["payload.fps"]}, "by", "payload.fps is a measured number"),
    ({"by": ["platform", "country", "bot"]}, "by", "at most 2 items"),
    ({"event": "purchase", "by": ["player_id"]}, "by", "these events have no player_id"),
    ({"measure": {"of": "sum", "field": "platform"}}, "measure/field", "these events have none"),
    (
        {"event": "purchase", "measure": {"of": "sum", "field": "payload.store"}},
        "measure/field",
        "sum is of a number of the event; there are payload.amount_minor",
    ),
    ({"event": "purchase", "measure": {"of": "mean"}}, "measure/field", "mean is of a number"),
    (
        {"event": "purchase", "measure": {"of": "count", "field": "payload.quantity"}},
        "measure/field",
        "count is of events, not of a field",
    ),
    (
        {"event": "performance", "measure": {"of": "percentile", "field": "payload.fps"}},
        "measure/percentile",
        "give a percentile",
    ),
    (
        {"event": "performance", "measure": {"of": "sum", "field": "payload.fps", "percentile": 5}},
        "measure/percentile",
        "and only there",
    ),
    (
        {"event": "purchase", "measure": {"of": "sum", "field": "payload.amount_minor"}},
        "measure/field",
        "must not be added up over currencies: choose one payload.currency",
    ),
    (
        {"event": "refund", "measure": {"of": "sum", "field": "payload.amount_minor"}},
        "measure/field",
        "is in the currency of another event",
    ),
    (
        {
            "event": "purchase",
            "measure": {"of": "sum", "field": "payload.amount_minor"},
            "where": [{"field": "payload.currency", "values": ["EUR", "USD"]}],
        },
        "measure/field",
        "must not be added up over currencies",
    ),
    (
        {"where": [{"field": "payload.store", "values": ["x"]}]},
        "where/0/field",
        "these events have no payload.store",
    ),
    ({"where": [{"field": "platform"}]}, "where/0/values", "is takes at least one value"),
    (
        {"where": [{"field": "bot", "values": ["yes"]}]},
        "where/0/values",
        "the values of bot are true or false",
    ),
    ({"where": [{"field": "platform", "values": [1]}]}, "where/0/values", "the values of platform are texts"),
    (
        {"event": "purchase", "where": [{"field": "payload.quantity", "values": [1.5]}]},
        "where/0/values",
        "the values of payload.quantity are whole numbers",
    ),
    (
        {"where": [{"field": "platform", "op": "at_least", "values": ["x"]}]},
        "where/0/values",
        "at_least compares a number with one value",
    ),
    (
        {"event": "purchase", "where": [{"field": "payload.quantity", "op": "at_most", "values": [1, 2]}]},
        "where/0/values",
        "at_most compares a number with one value",
    ),
    (
        {"where": [{"field": "platform", "op": "is_set", "values": ["x"]}]},
        "where/0/values",
        "is_set takes no values",
    ),
    ({"where": [{"field": "platform", "values": ["x"]}] * 11}, "where", "at most 10 items"),
    ({"where": [{"field": "platform", "values": ["x"] * 51}]}, "where/0/values", "at most 50 items"),
    ({"from": "2026-01-01", "to": "2026-06-01"}, "from", "152 days are asked for, at most 92 are answered"),
    ({"from": "2026-03-02", "to": "2026-03-01"}, "from", "2026-03-02 is after 2026-03-01"),
    ({"from": "20260301"}, "from", "YYYY-MM-DD"),
    ({"plattform": "ios"}, "plattform", "not permitted"),
]


def test_a_question_without_a_right_answer_is_refused(client: TestClient, gold: DuckGold) -> None:
    for changed, at, words in REFUSALS:
        answer = client.post("/v1/games/arena/explore", json=asked_events(**changed))
        assert answer.status_code == 422, (changed, answer.text)
        errors = answer.json()["errors"]
        assert {error["pointer"] for error in errors} == {f"/body/{at}"}, changed
        assert words in " ".join(error["detail"] for error in errors)
    assert not gold.asked


BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff",
    b"[" * 100_000,
    b'{"kind": "events", "\\ud800": 1}',
    b'{"kind": "events", "where": [{"field": "platform", "values": ["\\ud800"]}]}',
    b'{"kind": "events", "where": [{"field": "platform", "values": [NaN]}]}',
)


def test_a_body_that_is_no_question_is_refused(client: TestClient, gold: DuckGold) -> None:
    headers = {"content-type": "application/json"}
    for body in BODIES:
        answer = client.post("/v1/games/arena/explore", content=body, headers=headers)
        assert answer.status_code in (400, 422), (body[:80], answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
    assert not gold.asked


def test_too_many_rows_are_refused(client: TestClient, gold: DuckGold) -> None:
    line = made_events.events("many", 1, ("design",))[0] | {"game_id": "arena", "event_date": str(FIRST)}
    gold.fill_silver(line | {"payload": {"name": f"n{number}"}} for number in range(MAX_ROWS + 1))
    asked = asked_events(event="design", by=["payload.name"])
    answer = client.post("/v1/games/arena/explore", json=asked)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/body/by"
    assert "more than 2000 rows: ask for fewer days" in answer.text
    gold.database.execute("DELETE FROM events WHERE payload.name = 'n0'")
    assert len(client.post("/v1/games/arena/explore", json=asked).json()["rows"]) == MAX_ROWS


def test_an_answer_is_kept_until_silver_changes(client: TestClient, gold: DuckGold) -> None:
    lines = made_events.events("kept", 50)
    gold.fill_silver(lines)
    first, again = (client.post("/v1/games/arena/explore", json=asked_events()).json() for _ in range(2))
    assert len(gold.asked) == 1
    assert (first["cost"]["kept"], again["cost"]) == (False, {"scanned_bytes": 0, "usd": 0, "kept": True})
    assert first["rows"] == again["rows"] != []
    gold.fill_silver(lines[:1])
    client.post("/v1/games/arena/explore", json=asked_events())
    assert len(gold.asked) == 2
    assert client.post("/v1/games/arena-2/explore", json=asked_events()).json()["rows"] != first["rows"]


def test_the_file_has_the_rows_and_runs_nothing(client: TestClient, gold: DuckGold) -> None:
    line = made_events.events("file", 1, ("design",))[0]
    line |= {
        "game_id": "arena",
        "event_date": str(FIRST),
        "payload": {"name": "=HYPERLINK(1)", "value": -2.5},
    }
    gold.fill_silver([line, line | {"event_id": "another"}])
    asked = asked_events(event="design", by=["payload.name"], measure={"of": "sum", "field": "payload.value"})
    answer = client.post("/v1/games/arena/explore", json=asked | {"format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    name = f"arena-events-{FIRST}-{LAST}.csv"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["from", "to", "payload.name", "sum", "events"],
        [str(FIRST), str(FIRST), "'=HYPERLINK(1)", "-5.0", "2"],
    ]


def test_the_catalogue_lists_the_properties_of_the_schemas(client: TestClient) -> None:
    found = client.get("/v1/games/arena/explore").json()
    schemas = {kind: schema for (kind, _), schema in catalog.payloads(catalog.documents()).items()}
    assert {event["name"]: {field["name"] for field in event["fields"]} for event in found["events"]} == {
        kind: {f"payload.{name}" for name, one in schema["properties"].items() if one["type"] != "object"}
        for kind, schema in schemas.items()
    }
    names = {field["name"] for field in found["fields"]}
    # What names a person, or a device of one, is no field of questions.
    assert not names & {"player_id", "session_id", "event_id"}
    store = next(
        field
        for event in found["events"]
        if event["name"] == "purchase"
        for field in event["fields"]
        if field["name"] == "payload.store"
    )
    assert store["values"][:2] == ["apple", "google"]


def test_the_api_says_which_methods_the_route_has(client: TestClient) -> None:
    answer = client.put("/v1/games/arena/explore", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert client.put("/v1/games/arena/history").headers["allow"] == "GET, HEAD"
    refused = client.post("/v1/games/arena/explore?by=platform", json=asked_events())
    assert refused.status_code == 422
    assert "this route takes no parameters" in refused.text
