"""Reports reach lake, mail and chat once, whatever fails on the way."""

import csv
import html
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes, message_from_string
from email.policy import SMTP
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from fake_aws import register
from gold_tables import DuckGold
from hypothesis import given
from hypothesis import strategies as st
from lambda_context import Context
from moto.ses.models import ses_backends
from player_events import happen, pay, write
from scheduled_reports import channels, formatting, handler
from scheduled_reports import gold as report_gold
from scheduled_reports.figures import Period
from scheduled_reports.ledger import RefusedError
from scheduled_reports.report import Report
from telemetry import ad_spend, metric_model
from telemetry.ad_spend import Spend

ORDER = {"period": "day", "scheduled": "2026-03-11T05:00:00Z"}
NAME = "skyforge/day/2026-03-10"
EMPTY = Report("skyforge", "Skyforge <&>", Period("day", date(2026, 3, 10)), [])


@pytest.fixture
def mails(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[Any]]]:
    """The function on AWS in memory with a game that has a recipient; returns what SES took."""
    for name in ("games", "game_days", "reports"):
        monkeypatch.setenv(f"{name.upper()}_TABLE", name)
    for name, value in {
        "LAKE_BUCKET": "lake",
        "CONFIGURATION_SET": "reports",
        "SENDER": "reports@example.com",
        "WEBHOOKS_SECRET": "webhooks",
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="lake")
    boto3.client("sesv2").create_email_identity(EmailIdentity="reports@example.com")
    boto3.client("sesv2").create_configuration_set(ConfigurationSetName="reports")
    register(dynamodb, "skyforge")
    handler.connections.cache_clear()
    yield lambda: list(ses_backends["123456789012"]["us-east-1"].sent_messages)
    handler.connections.cache_clear()


@pytest.fixture
def chat() -> Iterator[Any]:
    """A webhook that answers with the statuses it is given, then 200, and keeps what it got."""

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.server.got.append(json.loads(body)["text"])  # type: ignore[attr-defined]
            answers = self.server.answers  # type: ignore[attr-defined]
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server: Any = HTTPServer(("127.0.0.1", 0), Chat)
    server.got, server.answers = [], []
    server.url = f"http://127.0.0.1:{server.server_port}/secret-path"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def invoke(**fields: Any) -> None:
    handler.lambda_handler(ORDER | fields, Context())


def archived() -> dict[str, str]:
    s3 = boto3.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="lake").get("Contents", [])]
    return {key: s3.get_object(Bucket="lake", Key=key)["Body"].read().decode() for key in keys}


def test_a_game_gets_page_table_and_mail_of_its_own_figures(mails: Any, dynamodb: Any) -> None:
    register(dynamodb, "other")
    write(happen(), pay(1, 300), pay(1, 77777) | {"game_id": "other"})
    invoke()
    files = archived()
    assert set(files) == {
        f"reports/{g}/day/2026-03-10.{s}" for g in ("other", "skyforge") for s in ("csv", "html")
    }
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(files[f"reports/{NAME}.csv"]))}
    assert (rows["active_players"]["value"], rows["revenue_EUR"]["value"]) == ("1", "3.00")
    mail = {sent.destinations[0]: sent for sent in mails()}["skyforge@a.com"]
    assert message_from_string(mail.raw_data)["Subject"] == "Skyforge: day to 2026-03-10"
    assert len(mails()) == 2
    assert "777.77" in files["reports/other/day/2026-03-10.html"]
    assert not any("777.77" in text or "77777" in text for key, text in files.items() if "skyforge" in key)


def plain(sent: Any) -> str:
    """Return the plain text of a mail."""
    message: Any = message_from_string(sent.raw_data, policy=SMTP)
    return str(message.get_body("plain").get_content()).replace("\r\n", "\n")


def spent(dynamodb: Any, gold: DuckGold) -> None:
    """Keep costs of two days: 12 EUR for 3 players who brought 9 by day 7, 30 for 2 who brought nothing."""
    types, totals = (
        metric_model.tables()["acquisition_value"].types,
        metric_model.tables()["acquisition_value"].with_totals,
    )
    for day, cost, players, by_day in ((1, 12, 3, {0: 6, 7: 9}), (8, 30, 2, {0: 0, 2: 0})):
        spend = Spend(date(2026, 3, day), "north", "spring", "EUR", cost * 10**6)
        dynamodb.Table("game_days").put_item(Item=ad_spend.item("skyforge", spend))
        for number, brought in by_day.items():
            row = dict.fromkeys(types, 0) | dict.fromkeys(totals, "*") | {
                "game_id": "skyforge", "install_source": "north", "campaign": "spring", "currency": "EUR",
                "event_date": spend.day + timedelta(number), "cohort_date": spend.day, "day_number": number,
                "cohort_players": players, "lifetime_net_total_micros": brought * 10**6,
            }  # fmt: skip
            gold.fill("acquisition_value", [list(row.values())])


def test_the_mail_has_the_return_on_ad_spend(
    mails: Any, dynamodb: Any, gold: DuckGold, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent(dynamodb, gold)
    register(dynamodb, "other")
    monkeypatch.setattr(report_gold, "reader", lambda wait_seconds: gold)
    invoke()
    texts = {sent.destinations[0]: plain(sent) for sent in mails()}
    # 6 of 42 on day 0; by day 7, which is over for the first day alone, 9 of 12.
    figures = (
        "42.00 EUR Cost, 5 Players of the cohort, 8.40 EUR Cost of a player, 14.3% Return by D0,"
        " 75.0% Return by D7"
    )
    assert f"Return on ad spend by install source: EUR:\n- north: {figures}\n" in texts["skyforge@a.com"]
    assert f"install source, campaign: EUR:\n- north, spring: {figures}\n" in texts["skyforge@a.com"]
    assert "ad spend" not in texts["other@a.com"]
    # A game without costs asks nothing.
    assert len(gold.asked) == 3
    rows = list(csv.DictReader(io.StringIO(archived()[f"reports/{NAME}.csv"])))
    assert [
        (row["name"], row["value"])
        for row in rows
        if row["section"] == "Return on ad spend by install source: EUR"
    ] == [
        ("Cost", "42.00"), ("Players of the cohort", "5"), ("Cost of a player", "8.40"),
        ("Return by D0", str(6 / 42)), ("Return by D7", "0.75"), ("Return by D30", ""),
    ]  # fmt: skip


def test_a_lake_that_does_not_answer_delays_no_report(
    mails: Any, dynamodb: Any, gold: DuckGold, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent(dynamodb, gold)
    # No workgroup is set, as on a machine without a lake.
    invoke()
    (sent,) = mails()
    title = "Return on ad spend (gold cannot be read, so costs only) by install source: EUR"
    assert f"{title}:\n- north: 42.00 EUR Cost\n" in plain(sent)


def test_games_wait_for_gold_together(dynamodb: Any, gold: DuckGold, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of many games ends in time, however long each would wait."""
    clock = iter((0, report_gold.RUN_SECONDS, report_gold.RUN_SECONDS + 1))
    monkeypatch.setattr(report_gold, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(report_gold, "reader", lambda wait_seconds: gold)
    cost = [Spend(date(2026, 3, 1), "north", "", "EUR", 1)]
    asking = report_gold.Gold()
    told = SimpleNamespace(ad_spend=lambda *_: cost)
    found: list[Any] = [asking.ad_spend(told, "skyforge", Period("day", date(2026, 3, 10))) for _ in range(2)]
    assert [len(section.columns) for (section,) in found] == [6, 1]


def test_mail_has_a_plain_text_and_a_page_with_its_pictures(mails: Any) -> None:
    write(happen(), pay(1, 300))
    invoke()
    (sent,) = mails()
    mail = message_from_string(sent.raw_data, policy=SMTP)
    assert (mail["To"], mail["From"]) == ("skyforge@a.com", "reports@example.com")
    text, related = mail.iter_parts()
    assert (text.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    assert "Gross revenue EUR: 3.00 EUR" in text.get_content()
    page, *pictures = related.iter_parts()
    named = {part["Content-ID"].strip("<>"): part for part in pictures}
    assert re.findall('src="cid:([^"]+)"', page.get_content()) == list(named)
    assert {(part.get_content_type(), part.get_content_disposition()) for part in pictures} == {
        ("image/png", "inline")
    }
    assert all(part.get_content().startswith(b"\x89PNG") for part in pictures)
    held = archived()[f"reports/{NAME}.html"]
    assert held.count('src="data:image/png;base64,') == len(named) == 3
    assert not re.search('(?:src|href)="(?!data:)', held)


def test_a_title_cannot_add_headers_to_its_mail() -> None:
    made = Report("g", "Game\r\nBcc: x@y.com\x00", Period("day", date(2026, 3, 10)), [])
    mail = message_from_bytes(channels.message(made, "a@b.com", ["c@d.com"]))
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Game  Bcc: x@y.com : day to 2026-03-10"


def test_a_recipient_beyond_ascii_costs_nobody_else_the_mail(mails: Any, dynamodb: Any) -> None:
    """RFC 2047 forbids encoded words in an address, and SES refuses such a mail as a whole."""
    register(dynamodb, "skyforge", report_to="jörg@a.com ann@a.com bob@bücher.example")
    invoke()
    (sent,) = mails()
    assert message_from_string(sent.raw_data, policy=SMTP)["To"] == "ann@a.com"
    assert "=?" not in sent.raw_data.partition("Subject:")[0]


@pytest.mark.parametrize(
    ("kind", "last", "written"),
    [
        ("week", date(2027, 1, 3), "28 December 2026 to 3 January 2027 (UTC)"),
        ("week", date(2026, 3, 15), "9 March to 15 March 2026 (UTC)"),
    ],
)
def test_a_week_names_each_year_it_has_days_in(kind: Any, last: date, written: str) -> None:
    assert formatting.span(Period(kind, last)) == written


@given(st.text("&<>;a…", max_size=3400), st.integers(10, 3000))
def test_a_chats_text_is_cut_between_two_signs(text: str, limit: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channels, "WEBHOOK_CHARACTERS", limit)
        cut = channels.chat_text(text)
    assert len(cut) <= limit
    shown = html.unescape(cut)
    assert shown == text or (shown.endswith("…") and text.startswith(shown[:-1]))
    assert not re.search("&(?!amp;|lt;|gt;)|[<>]", cut)


def test_a_second_run_sends_nothing_again(mails: Any) -> None:
    invoke()
    invoke()
    assert len(mails()) == 1
    invoke(period="week")
    assert len(mails()) == 2


def test_one_games_failure_is_named_and_stops_no_other(mails: Any, dynamodb: Any) -> None:
    register(dynamodb, "broken", report_to="x@y.com")
    dynamodb.Table("game_days").put_item(
        Item={"game_day": "broken#2026-03-09#cohort", "shard": "a", "retained_1": Decimal("0.5")}
    )
    with pytest.raises(handler.GamesFailedError, match=r"day to 2026-03-10: broken \("):
        invoke()
    assert [{*mail.destinations} for mail in mails()] == [{"skyforge@a.com"}]


def test_a_crash_after_the_archive_is_resumed(mails: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(channels.Mail, "send", raising(RefusedError("SES: Throttling")))
        with pytest.raises(handler.GamesFailedError, match="Throttling"):
            invoke()
    assert f"reports/{NAME}.html" in archived()
    invoke()
    assert len(mails()) == 1


@pytest.mark.parametrize(
    "failure",
    [
        ReadTimeoutError(endpoint_url="https://ses"),
        ClientError({"Error": {"Code": "X"}, "ResponseMetadata": {"HTTPStatusCode": 500}}, "SendEmail"),  # type: ignore[typeddict-item]
    ],
)
def test_a_mail_that_may_have_gone_is_not_sent_again(
    mails: Any, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(handler.connections()[4].ses, "send_email", raising(failure))
        with pytest.raises(handler.GamesFailedError):
            invoke()
    with pytest.raises(handler.GamesFailedError, match="mail of skyforge/day/2026-03-10 was begun"):
        invoke()
    assert mails() == []


def test_a_mail_that_cannot_be_written_was_not_begun(mails: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(channels, "message", raising(ValueError("no such address")))
        with pytest.raises(handler.GamesFailedError, match="no such address"):
            invoke()
    invoke()
    assert len(mails()) == 1


def test_a_mail_that_ses_refuses_is_tried_again(mails: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    failure = ClientError({"Error": {"Code": "X"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "SendEmail")  # type: ignore[typeddict-item]
    with monkeypatch.context() as patch:
        patch.setattr(handler.connections()[4].ses, "send_email", raising(failure))
        with pytest.raises(handler.GamesFailedError, match="SES: X"):
            invoke()
    invoke()
    assert len(mails()) == 1


def test_only_active_and_wanted_games_are_told(mails: Any, dynamodb: Any) -> None:
    register(dynamodb, "gone", status="disabled")
    register(dynamodb, "silent", report_to="")
    invoke(games=["gone", "silent"])
    assert set(archived()) == {"reports/silent/day/2026-03-10.csv", "reports/silent/day/2026-03-10.html"}
    assert mails() == []


def test_a_period_that_is_not_over_is_refused(mails: Any) -> None:
    with pytest.raises(ValueError, match="yet to come"):
        invoke(scheduled=(datetime.now(UTC) + timedelta(days=1)).isoformat())
    assert archived() == {}


def test_a_game_with_a_webhook_is_posted_to_once(mails: Any, chat: Any, dynamodb: Any) -> None:
    register(dynamodb, "other")
    boto3.client("secretsmanager").create_secret(
        Name="webhooks", SecretString=json.dumps({"skyforge": chat.url})
    )
    invoke()
    invoke()
    (text,) = chat.got
    assert text.startswith("Skyforge, Tuesday, 10 March 2026 (UTC)")


def test_a_post_is_repeated_after_429_and_500(chat: Any) -> None:
    chat.answers = [429, 500]
    channels.post(chat.url, EMPTY, pauses=(0, 0))
    assert len(chat.got) == 3
    assert "Skyforge &lt;&amp;&gt;" in chat.got[0]


@pytest.mark.parametrize(("answers", "posts"), [([500, 500, 500], 3), ([404], 1), ([302], 1)])
def test_a_post_that_is_refused_says_so_without_its_url(chat: Any, answers: list[int], posts: int) -> None:
    chat.answers = [*answers]
    with pytest.raises(RefusedError, match=f"webhook: {answers[0]}$") as raised:
        channels.post(chat.url, EMPTY, pauses=(0, 0))
    assert len(chat.got) == posts
    assert raised.value.__context__ is None


def test_a_silent_chat_is_given_up(chat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    chat.shutdown()
    monkeypatch.setattr(channels, "WEBHOOK_SECONDS", 0.05)
    with pytest.raises(RefusedError, match="webhook: TimeoutError"):
        channels.post(chat.url, EMPTY, pauses=(0,))
    with pytest.raises(RefusedError, match=r"webhook: ValueError$"):
        channels.post("secret", EMPTY, pauses=())


def raising(error: Exception) -> Callable[..., None]:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail
