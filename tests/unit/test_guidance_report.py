"""scripts/guidance-report counts what the events of the guidance became, by what the lake holds."""

import gzip
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import pytest
from fake_aws import Streams, encode, processor, records, register
from tools import guidance_report

GAME = "farm"
TODAY = datetime.now(UTC).date()


def sent(event_type: str, name: str | None = None, **data: Any) -> bytes:
    inner = {
        "event_id": str(uuid4()),
        "event_type": event_type,
        "event_name": name or event_type,
        "event_timestamp": int(time.time()),
        "event_data": data,
    }
    return encode({"event": inner, "application_id": GAME})


@pytest.fixture
def report(aws: None, dynamodb: Any, make_event: Any) -> guidance_report.Report:
    for game in (GAME, "other"):
        register(dynamodb, game)
    streams = Streams()
    paid = {"currency_type": "USD", "currency_amount": 1}
    events = [
        *[sent("login") for _ in range(4)],
        *[sent("level_failed", level_id="World 1") for _ in range(2)],
        sent("client", "logout"),
        sent("iap_transaction", **paid),
        sent("iap_transaction", **paid | {"currency_type": "GEMS"}),
        sent("lootbox_opened"),
        encode(make_event(game_id=GAME)),
        encode(make_event(game_id="other")),
        encode(make_event(game_id=GAME, sequence=-1)),
    ]
    processor(dynamodb, boto3.client("dynamodb"), streams).process(records(*events))
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="lake")
    for stream, prefix in (
        ("bronze", f"bronze/{TODAY:%Y/%m/%d}/12/"),
        ("rejected", f"rejected/day={TODAY}/reason=x/"),
    ):
        body = b"".join(encode(line) + b"\n" for line in streams.lines(stream))
        # Firehose can write a line twice.
        for copy in "ab":
            s3.put_object(Bucket="lake", Key=f"{prefix}{copy}.gz", Body=gzip.compress(body))
    return guidance_report.read(s3, "lake", GAME, [TODAY])


def test_it_counts_each_event_once_by_what_it_became(report: guidance_report.Report) -> None:
    refusal = "schema_violation at /event/event_data/currency_type: 'GEMS' is no currency of ISO 4217"
    assert dict(report.counts) == {
        ("login", "session_start", ""): 4,
        ("level_failed", "progression", ""): 2,
        ("logout", "session_end", ""): 1,
        ("iap_transaction", "purchase", ""): 1,
        ("iap_transaction", "refused", refusal): 1,
        ("lootbox_opened", "design", ""): 1,
    }
    assert [report.share(name) for name in ("mapped", "design", "refused")] == [0.8, 0.1, 0.1]


def test_it_prints_the_shares(report: guidance_report.Report, capsys: pytest.CaptureFixture[str]) -> None:
    guidance_report.show(report)
    assert "10 events: mapped 80.0%, design 10.0%, refused 10.0%" in capsys.readouterr().out
    assert guidance_report.Report().share("mapped") == 0
