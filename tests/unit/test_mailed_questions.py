"""Saved questions in the weekly report: the mail has what the API answers, and no failure stops it."""

import csv
import importlib
import io
import json
import re
from datetime import timedelta
from email import message_from_string
from email.policy import SMTP
from html import unescape
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import boto3
import made_events
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from fake_aws import register
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from lambda_context import Context
from metrics_api.saved_models import MAX_MAILED
from moto.ses.models import ses_backends
from scheduled_reports import handler, plain_text, questions, render
from scheduled_reports.figures import Period
from scheduled_reports.questions import MAX_ROWS, MAX_SIGNS, Answered, Questions
from scheduled_reports.report import Report
from signed_in import Ask

GAME = made_events.GAMES[0]
DAYS = [made_events.BEGIN.date() + timedelta(days=n) for n in range(7)]
WEEK = Period("week", DAYS[-1])
HOSTILE = "<img src=x onerror=alert(1)> =1+1"
DOCUMENTS: dict[str, dict[str, Any]] = {
    "buyers": {"kind": "cohort", "event": "purchase"},
    "steps": {"kind": "funnel", "steps": [{}, {"event": "purchase"}], "window_minutes": 600},
    "wide": {"kind": "events", "grain": "day", "by": ["event_type"]},
    "back": {"kind": "retention", "days": 8},
    "paid": {
        "kind": "events",
        "event": "purchase",
        "by": ["payload.currency"],
        "grain": "range",
        "measure": {"of": "sum", "field": "payload.amount_minor"},
    },
    "none": {"kind": "events", "event": "crash", "where": [{"field": "platform", "values": ["no such"]}]},
    "unmarked": {"kind": "cohort"},
}
# What a mail has room for: days that all rows share, and ends of days that say the same twice, are left out.
COLUMNS = {
    "buyers": ("players", "events"),
    "steps": ("step", "event", "players", "of first", "of previous", "median seconds"),
    "wide": ("from", "event type", "count", "events"),
    "back": ("cohort players", "day", "players", "returned", "share"),
}
TITLES = {name: f"Title of {name}" for name in DOCUMENTS} | {"buyers": HOSTILE}
MARKED = [name for name in DOCUMENTS if name not in ("unmarked", "paid")]


@pytest.fixture
def client(metrics_app: Any, dynamodb: Any, gold: DuckGold) -> TestClient:
    """The API with saved questions on a dashboard, all but one marked for the mail."""
    gold.fill_silver(made_events.events("mail", 400))
    for game in made_events.GAMES:
        register(dynamodb, game)
    client = TestClient(metrics_app)
    for name, question in DOCUMENTS.items():
        body = {"title": TITLES[name], "question": question}
        assert client.put(f"/v1/games/{GAME}/questions/{name}", json=body).status_code == 201
    board = {"questions": list(DOCUMENTS), "mailed": MARKED, "version": 0}
    assert client.put(f"/v1/games/{GAME}/dashboard", json=board).status_code == 200
    return client


class Api:
    """The function of the metrics API; `instead` has other answers by a part of the path."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.instead: dict[str, tuple[int, str] | Exception] = {}
        self.model = boto3.client("lambda", region_name="us-east-1").meta.service_model

    def invoke(self, **given: Any) -> dict[str, Any]:
        report = ParamValidator().validate(given, self.model.operation_model("Invoke").input_shape)
        assert not report.has_errors(), report.generate_report()
        assert given["FunctionName"] == "metrics-api"
        event = json.loads(given["Payload"])
        path = f"{event['rawPath']}?{event['rawQueryString']}"
        self.asked.append(path)
        other = next((found for part, found in self.instead.items() if part in path), None)
        if isinstance(other, Exception):
            raise other
        answer = (
            {"statusCode": other[0], "body": other[1]}
            if other
            else importlib.import_module("metrics_api.handler").lambda_handler(event, None)
        )
        return {"Payload": BytesIO(json.dumps(answer).encode())}


@pytest.fixture
def api(client: TestClient, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The API as its function is invoked; people sign in to it, which programs do not."""
    api = Api()
    monkeypatch.setattr(questions, "client", lambda service: api)
    return api


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that goes on when somebody sleeps."""
    clock = SimpleNamespace(now=0.0)
    pause = lambda seconds: setattr(clock, "now", clock.now + seconds)  # noqa: E731
    monkeypatch.setattr(questions, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=pause))
    return clock


def of_week(api: Api, period: Period = WEEK, game: str = GAME, page: str = "https://page") -> list[Answered]:
    assert api
    return Questions("metrics-api", page).of_week(game, period)


def told(answered: list[Answered]) -> tuple[str, str]:
    """Return the report as people read it: the words of its page, and its plain text."""
    made = Report(GAME, "Skyforge", WEEK, [], questions=answered)
    page = render.html(made)
    assert "<img src=x" not in page
    return unescape(re.sub(r"<[^>]+>", " ", page)), plain_text.text(made)


def test_the_mail_has_what_the_api_answers(api: Api, client: TestClient) -> None:
    found = of_week(api)
    assert [one.title for one in found] == [TITLES[name] for name in MARKED]
    days = {"from": str(DAYS[0]), "to": str(DAYS[-1])}
    for name, one in zip(MARKED, found, strict=True):
        answer = client.get(f"/v1/games/{GAME}/questions/{name}/answer", params=days | {"format": "csv"})
        header, *rows = csv.reader(io.StringIO(answer.text))
        if name == "back":
            rows = [row for row in rows if row[header.index("players")] != "0"]
        if rows:
            assert one.columns == COLUMNS[name]
        assert (len(one.rows), one.more_rows) == (min(len(rows), MAX_ROWS), max(0, len(rows) - MAX_ROWS))
        for shown, row in zip(one.rows, rows, strict=False):
            for column, cell in zip(COLUMNS[name], shown, strict=True):
                given = row[header.index(column.replace(" ", "_"))]
                if column in ("of first", "of previous", "median seconds", "share") and given:
                    assert float(cell.replace(",", "")) == pytest.approx(float(given), abs=0.0005)
                else:
                    assert cell == given
        assert one.link == f"https://page/dashboard?game={GAME}&from={DAYS[0]}&to={DAYS[-1]}"
    buyers, steps, wide, back, none = found
    silver = [
        e
        for e in made_events.events("mail", 400)
        if e["game_id"] == GAME and e["event_date"] in map(str, DAYS)
    ]
    bought = [e["player_id"] for e in silver if e["event_type"] == "purchase"]
    assert buyers.rows == ((str(len(set(bought))), str(len(bought))),)
    assert steps.rows[1][1] == "purchase"
    assert wide.more_rows > 0
    assert {row[1] for row in back.rows} > {"0", "1"}, "the mail tells cohorts apart by the days after"
    assert (none.rows, none.failure) == ((), "")
    for text in told(found):
        assert HOSTILE in text
        assert "No such events in this week." in text
        assert f"{wide.more_rows} more rows" in text
        assert "Title of unmarked" not in text
    assert len(api.asked) == 1 + len(MARKED)


def test_amounts_are_in_units_of_their_currency_or_say_their_unit(api: Api, client: TestClient) -> None:
    path = f"/v1/games/{GAME}"
    for name, field, by in (
        ("paid", "payload.amount_minor", ["payload.currency"]),
        ("ads", "payload.revenue_micros", ["payload.currency"]),
        ("alone", "payload.amount_minor", []),
    ):
        event = "ad_impression" if name == "ads" else "purchase"
        question = DOCUMENTS["paid"] | {"event": event, "by": by, "measure": {"of": "sum", "field": field}}
        if not by:
            question["where"] = [{"field": "payload.currency", "values": ["EUR"]}]
        saved = {"title": name, "question": question, "version": 1 if name == "paid" else 0}
        assert client.put(f"{path}/questions/{name}", json=saved).is_success
    names = ["paid", "ads", "alone"]
    board = {"questions": names, "mailed": names, "version": 1}
    assert client.put(f"{path}/dashboard", json=board).is_success
    week = f"{DAYS[0]},{DAYS[-1]}"
    api.instead = {
        f"/{name}/answer": (200, "\r\n".join((f"from,to,{head}", *(f"{week},{row}" for row in rows), "")))
        for name, head, rows in (
            (
                "paid",
                "payload.currency,sum",
                ("EUR,11989", "JPY,500", "KWD,1234", ",7", f"USD,{2**50}", "GBP,"),
            ),
            ("ads", "payload.currency,sum", ("USD,4651156", "JPY,2500000")),
            ("alone", "sum", ("11989",)),
        )
    }
    paid, ads, alone = of_week(api)
    assert paid.columns == ("currency", "sum of amount")
    assert dict(paid.rows) == {
        "EUR": "119.89", "JPY": "500", "KWD": "1.234", "": "7", "USD": "11,258,999,068,426.24", "GBP": "",
    }  # fmt: skip
    assert ads.columns == ("currency", "sum of revenue")
    assert dict(ads.rows) == {"USD": "4.6512", "JPY": "2.50"}
    assert (alone.columns, alone.rows) == (("sum of amount (minor units)",), (("11989",),))


def test_a_question_without_an_answer_says_so(api: Api, dynamodb: Any, clock: Any) -> None:
    throttled = ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "internals"}}, "Invoke")
    api.instead = {
        "/buyers/": (202, '{"status": "running"}'),
        "/steps/": (503, '{"detail": "internals"}'),
        "/none/": throttled,
    }
    item = dynamodb.Table("saved_questions").get_item(Key={"game_id": GAME, "name": "wide"})["Item"]
    dynamodb.Table("saved_questions").put_item(Item=item | {"question": '{"kind": "events", "gone": 1}'})
    found = of_week(api)
    assert [one.failure for one in found] == [
        questions.LATE,
        "The metrics API does not answer at the moment.",
        "this release does not know the saved question any more: save it anew",
        "",
        "The metrics API does not answer at the moment.",
    ]
    assert questions.QUESTION_SECONDS <= clock.now <= questions.QUESTION_SECONDS + 10
    for text in told(found):
        assert "It took too long. Open the dashboard" in text
        assert "internals" not in text
    api.instead = {"/dashboard": (500, "not JSON")}
    (one,) = of_week(api, page="")
    assert (one.title, one.failure, one.link) == (
        "Saved questions",
        "The metrics API does not answer at the moment.",
        "",
    )
    for body in ("", "[]", "{}", '{"questions": [{}], "mailed": []}', '{"questions": 7}'):
        api.instead = {"/dashboard": (200, body)}
        assert of_week(api)[0].failure == one.failure
    api.instead = {"/steps/": (200, ""), "/buyers/": (200, "a,b")}
    assert [one.failure for one in of_week(api)][:2] == ["", one.failure]


def test_all_games_of_a_run_wait_so_long_together(api: Api, clock: Any) -> None:
    api.instead = {"/answer": (202, '{"status": "running"}')}
    asking = Questions("metrics-api")
    for _ in range(10):
        found = asking.of_week(GAME, WEEK)
        assert questions.NOT_ASKED in {one.failure for one in found}, "a game takes half of the time at most"
    assert clock.now <= questions.RUN_SECONDS + 10 * questions.ASK_AGAIN_SECONDS
    assert [one.failure for one in found] == [questions.NOT_ASKED] * len(MARKED)
    before = len(api.asked)
    assert asking.of_week(made_events.GAMES[1], WEEK) == []
    assert len(api.asked) == before + 1, "whether a game has marked any is asked in any case"


def test_nothing_is_asked_of_a_day_nor_without_an_address_nor_of_a_game_without_marks(api: Api) -> None:
    assert of_week(api, Period("day", DAYS[-1])) == []
    assert Questions("").of_week(GAME, WEEK) == []
    assert api.asked == []
    assert of_week(api, game=made_events.GAMES[1]) == []
    assert len(api.asked) == 1


def test_cells_are_short_and_names_stay_as_they_are(api: Api) -> None:
    long = "x" * 200
    api.instead = {
        "/buyers/": (
            200,
            f"payload.app_version,sum,mean,a,b,c,d,e,f\r\n1.10,1234567.5,0.30000,{long},'=1+1,7,8,9,10\r\n",
        )
    }
    one = of_week(api)[0]
    assert one.columns == ("app version", "sum", "mean", "a", "b", "c", "d", "e")
    assert one.rows == (("1.10", "1,234,567.5", "0.3", "x" * (MAX_SIGNS - 1) + "…", "=1+1", "7", "8", "9"),)


def test_only_questions_of_the_dashboard_are_marked_and_few(client: TestClient) -> None:
    path = f"/v1/games/{GAME}/dashboard"
    for mailed, words in (
        (["gone"], "gone is not on the dashboard"),
        ([f"n-{n}" for n in range(MAX_MAILED + 1)], f"at most {MAX_MAILED} questions"),
        (["buyers", "buyers"], "named twice"),
    ):
        answer = client.put(path, json={"questions": ["buyers"], "mailed": mailed, "version": 1})
        assert answer.status_code == 422
        assert words in answer.text
    answer = client.put(path, json={"questions": ["steps", "buyers"], "mailed": ["buyers"], "version": 1})
    assert answer.json()["mailed"] == ["buyers"]
    assert [one["may_be_mailed"] for one in answer.json()["questions"]] == [True, True]
    assert client.delete(f"/v1/games/{GAME}/questions/buyers").status_code == 204
    assert client.get(path).json()["mailed"] == []


@pytest.mark.parametrize(
    "named",
    [
        {"event": "purchase", "by": ["payload.transaction_id"]},
        {"event": "purchase", "where": [{"field": "payload.transaction_id", "op": "is", "values": ["t"]}]},
        {"event": "crash", "by": ["payload.message"]},
    ],
)
def test_a_question_that_names_single_events_is_shown_and_not_mailed(client: TestClient, named: Any) -> None:
    """Mails and their archive are not erased."""
    document = {"title": "Single ones", "question": {"kind": "events"} | named}
    assert client.put(f"/v1/games/{GAME}/questions/single", json=document).status_code == 201
    path, board = f"/v1/games/{GAME}/dashboard", {"questions": ["single"], "version": 1}
    answer = client.put(path, json=board | {"mailed": ["single"]})
    assert answer.status_code == 422
    assert "single is not mailed: payload." in answer.text
    answer = client.put(path, json=board | {"mailed": []})
    assert answer.status_code == 200
    assert [one["may_be_mailed"] for one in answer.json()["questions"]] == [False]


def test_the_mail_is_sent_with_and_without_answers(
    api: Api, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "CONFIGURATION_SET": "reports", "LAKE_BUCKET": "lake", "METRICS_FUNCTION": "metrics-api",
        "REPORTS_TABLE": "reports",
        "SENDER": "reports@example.com",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="lake")
    boto3.client("sesv2").create_email_identity(EmailIdentity="reports@example.com")
    boto3.client("sesv2").create_configuration_set(ConfigurationSetName="reports")
    monkeypatch.setattr("scheduled_reports.report.charts", lambda *_: [])
    handler.connections.cache_clear()
    monday = DAYS[-1] + timedelta(days=(7 - DAYS[-1].weekday()) % 7 or 7)
    for number, instead in enumerate(({}, {"/steps/": (503, "")}, {"/v1/": (503, "")})):
        api.instead = instead
        at = monday + timedelta(weeks=number)
        order = {"period": "week", "scheduled": f"{at}T06:00:00Z", "games": [GAME]}
        handler.lambda_handler(order, Context())
        sent = ses_backends["123456789012"]["us-east-1"].sent_messages[-1]
        message: Any = message_from_string(sent.raw_data, policy=SMTP)
        text = str(message.get_body("plain").get_content())
        assert f"week to {at - timedelta(days=1)}" in message["Subject"]
        assert (HOSTILE in text) == (number < 2)
        assert ("The metrics API does not answer at the moment." in text) == (number > 0)
    assert len(ses_backends["123456789012"]["us-east-1"].sent_messages) == 3
    handler.connections.cache_clear()
