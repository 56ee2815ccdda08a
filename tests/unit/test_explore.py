"""Questions about single events: every figure against its definition, every scan bound to its game."""

import csv
import io
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import made_events
import nasty_game
import pytest
import sqlglot
from explore_sql import judge, with_literals
from explore_truth import (
    NUMBERS,
    Event,
    Question,
    filtered,
    holds,
    of_cohort,
    of_game,
    percentile,
    start_of,
    value,
    with_cohort,
    written,
)
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from made_events import HOSTILE
from metrics_api import explore_events, explore_fields
from metrics_api.explore_models import EventsQuestion
from metrics_api.history_query import MAX_ROWS, Days
from sqlglot import exp
from telemetry import catalog
from telemetry.lake_reader import Query

FIRST, LAST = date(2026, 1, 26), date(2026, 2, 6)
GAMES = ("arena", "arena-2", nasty_game.GAME)


@pytest.fixture
def client(metrics_app: Any, dynamodb: Any) -> TestClient:
    for game in GAMES:
        item = {"game_id": game, "name": game, "status": "active", "key_hashes": []}
        dynamodb.Table("games").put_item(Item=item)
    return TestClient(metrics_app)


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


def true_rows(lines: list[Event], game: str, asked: Question) -> Rows:
    """Return the figures of a question by period and slice."""
    groups = defaultdict(list)
    for line in of_game(of_cohort(lines, game, asked), game, asked):
        if asked.get("event", line["event_type"]) != line["event_type"]:
            continue
        if not all(holds(line, one) for one in asked.get("where", [])):
            continue
        if (measured := asked["measure"].get("field")) and value(line, measured) is None:
            continue
        began = start_of(date.fromisoformat(line["event_date"]), asked["grain"])
        groups[(began, *(written(value(line, name)) for name in asked["by"]))].append(line)
    return {place: (figure(found, asked["measure"]), len(found)) for place, found in groups.items()}


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
    chance, of_players = random.Random(seed), random.Random(f"{seed} cohorts")
    shared = ["platform", "country", "app_version", "bot", "late", "verified", "client.locale"]
    schemas = {
        kind: schema["properties"] for (kind, _), schema in catalog.payloads(catalog.documents()).items()
    }
    for number in range(count):
        line = chance.choice(lines)
        own = {f"payload.{n}": one["type"] for n, one in schemas[line["event_type"]].items()}
        own = {n: one for n, one in own.items() if one != "object" and not n.endswith("player_id")}
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
            with_cohort(
                of_players,
                lines,
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
            ),
        )


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
    client: TestClient, gold: DuckGold, nasty_bronze: list[Event]
) -> None:
    assert check(client, gold, nasty_bronze, list(questions(nasty_bronze, "nasty", 210))) > 200


def test_every_figure_of_events_at_random_is_that_of_its_definition(
    client: TestClient, gold: DuckGold
) -> None:
    lines = made_events.events("random", 4000)
    assert check(client, gold, lines, list(questions(lines, "random", 200))) > 1000


def test_the_judge_of_figures_sees_a_wrong_one(nasty_bronze: list[Event]) -> None:
    """A sum that is one too high, a missing row, an event of another game."""
    asked = {
        "event": "purchase",
        "from": "2024-02-01",
        "to": "2024-03-31",
        "grain": "range",
        "by": ["payload.currency"],
        "measure": {"of": "sum", "field": "payload.amount_minor"},
    }
    true = true_rows(nasty_bronze, nasty_game.GAME, asked)
    assert len(true) == 3
    assert same(dict(true), true)
    place = next(iter(true))
    assert not same(true | {place: (int(true[place][0]) + 1, true[place][1])}, true)
    assert not same({place: true[place]}, true)
    mixed = [line | {"game_id": nasty_game.GAME} for line in nasty_bronze]
    assert not same(true_rows(mixed, nasty_game.GAME, asked), true)


def asked_events(**fields: Any) -> Question:
    return {"kind": "events", "from": str(FIRST), "to": str(LAST), **fields}


def test_a_sandbox_purchase_counts_until_a_filter_leaves_it_out(
    client: TestClient, gold: DuckGold, nasty_bronze: list[Event]
) -> None:
    """The buyer has paid four times: once in the store's test environment, and once for a trial."""
    gold.fill_silver(nasty_bronze)
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


def compiled(question: Question, game: str = "arena") -> Query:
    asked = EventsQuestion.model_validate(question)
    return explore_events.query(asked, game, Days(FIRST, LAST))


def test_athena_takes_every_question_and_finds_its_columns(nasty_bronze: list[Event]) -> None:
    lines = [*nasty_bronze, *made_events.events("athena", 500)]
    for game, question in questions(lines, "athena", 300):
        judge(compiled(question, game))


def test_whole_numbers_are_added_up_as_decimals() -> None:
    """A sum of bigint that does not fit into one fails in Trino, and not in DuckDB."""
    whole, fraction = (
        compiled(asked_events(event=event, measure={"of": "sum", "field": field})).sql
        for event, field in (("purchase", "payload.quantity"), ("performance", "payload.fps"))
    )
    assert 'CAST(payload."quantity" AS decimal(38, 0)) AS value' in whole
    assert 'CAST(payload."fps" AS double) AS value' in fraction


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


def test_the_judge_of_engines_sees_a_text_that_they_read_differently(gold: DuckGold) -> None:
    """Trino divides whole numbers to a whole number, and DuckDB does not."""
    divided = "SELECT CAST(7 AS bigint) / CAST(2 AS bigint) AS one"
    wrong = Query(divided, (), "events", "event_date", "arena", FIRST, LAST)
    with pytest.raises(AssertionError, match="in another way"):
        gold.run(wrong, gold.version("events"))


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
    (
        {"event": "identify", "by": ["payload.previous_player_id"]},
        "by",
        "these events have no payload.previous_player_id",
    ),
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


def test_a_pointer_leads_to_the_value_that_is_refused(client: TestClient) -> None:
    """pydantic also names the model and the types that it tried."""
    for body, pointers in (
        ({"kind": "events", "where": [{"field": "platform", "values": [{}]}]}, {"/body/where/0/values/0"}),
        ({"kind": "events", "where": [{}]}, {"/body/where/0/field"}),
        ({"kind": "funnel"}, {"/body/steps"}),
        ({"kind": "funnels"}, {"/body"}),
        ({"kind": "events", "measure": {"of": "sums", "x": 1}}, {"/body/measure/of", "/body/measure/x"}),
    ):
        answer = client.post("/v1/games/arena/explore", json=body)
        assert answer.status_code == 422
        assert {error["pointer"] for error in answer.json()["errors"]} == pointers


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
        - {"payload.previous_player_id"}
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


def test_the_examples_of_the_documentation_are_answered(client: TestClient, gold: DuckGold) -> None:
    described = client.get("/openapi.json").json()["paths"]["/v1/games/{game_id}/explore"]["post"]
    examples = described["requestBody"]["content"]["application/json"]["examples"]
    assert len(examples) > 1
    for example in examples.values():
        answer = client.post("/v1/games/arena/explore", json=example["value"])
        assert answer.status_code == 200, answer.text


def test_the_api_says_which_methods_the_route_has(client: TestClient) -> None:
    answer = client.put("/v1/games/arena/explore", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert client.put("/v1/games/arena/history").headers["allow"] == "GET, HEAD"
    refused = client.post("/v1/games/arena/explore?by=platform", json=asked_events())
    assert refused.status_code == 422
    assert "this route takes no parameters" in refused.text
