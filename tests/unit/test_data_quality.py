"""Each check of a game's data on facts worked out by hand, then all through tables and API."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from data_quality import checks, facts
from data_quality.facts import Facts, History
from data_quality.judge import NotJudgedError
from fastapi.testclient import TestClient

NOW = datetime(2026, 3, 10, 12, 50, tzinfo=UTC)
USUAL = {"accepted": 5000, "late": 10}


def judge(name: str, **given: Any) -> checks.Check:
    """Return one check of a month of usual days, but for what is given."""
    days = [Counter(USUAL) for _ in range(facts.DAYS)]
    counted = [Counter(events=day["accepted"]) for day in days]
    made = {
        "now": NOW, "arrived": days, "happened": counted, "updated_at": NOW - timedelta(minutes=1),
        "by_minutes": 1000, "by_windows": 1000, "history": History(NOW - timedelta(hours=1), []),
    }  # fmt: skip
    (found,) = [check for check in checks.run(Facts(**made | given)) if check.name == name]
    return found


def days(*last: dict[str, int]) -> list[Counter[str]]:
    """Return a month that ends with these days."""
    return [Counter(USUAL) for _ in range(facts.DAYS - len(last))] + [Counter(day) for day in last]


def test_usual_days_pass() -> None:
    names = [check(Facts(NOW, days(), days())).name for check in checks.CHECKS]
    assert {name: judge(name).verdict for name in names} == dict.fromkeys(names, "pass")


@pytest.mark.parametrize(("quiet", "verdict"), [(59, "pass"), (61, "warn"), (181, "fail")])
def test_a_busy_game_must_not_be_silent(quiet: int, verdict: str) -> None:
    found = judge("freshness", updated_at=NOW - timedelta(minutes=quiet))
    assert (found.verdict, found.value, found.bound) == (verdict, quiet, 60)


def test_a_quiet_game_may_be_silent() -> None:
    rare = [Counter(accepted=1439) for _ in range(facts.DAYS)]
    assert judge("freshness", arrived=rare, updated_at=None).verdict == "unknown"


def test_a_long_outage_does_not_make_a_game_quiet() -> None:
    silent = days(*[{}] * 10)
    assert judge("freshness", arrived=silent, updated_at=NOW - timedelta(days=10)).verdict == "fail"


def test_an_unusual_day_warns_and_an_empty_one_fails() -> None:
    assert judge("volume", arrived=days({"accepted": 9000}, {})).verdict == "warn"
    assert judge("volume", arrived=days({}, {})).verdict == "fail"
    young = [Counter()] * 15 + [Counter(USUAL)] * 14
    assert judge("volume", arrived=young).verdict == "unknown"


@pytest.mark.parametrize(
    ("name", "counter", "warns", "fails"),
    [
        ("rejects", "rejected_too_old", 101, 501),
        ("schema", "rejected_unknown_schema", 51, 201),
        ("duplicates", "rejected_duplicate", 501, 2001),
        ("late", "late", 1001, 3001),
        ("clocks", "skewed", 501, 2001),
    ],
)
def test_shares_of_ten_thousand_events(name: str, counter: str, warns: int, fails: int) -> None:
    def verdict(count: int) -> str:
        refused = count if counter.startswith("rejected") else 0
        return judge(name, arrived=days({"accepted": 10_000 - refused, counter: count}, {})).verdict

    assert [verdict(n) for n in (warns - 1, warns, fails - 1, fails)] == ["pass", "warn", "warn", "fail"]


def test_duplicates_are_no_rejects() -> None:
    assert judge("rejects", arrived=days({"accepted": 8000, "rejected_duplicate": 2000}, {})).value == 0


def test_player_state_must_have_what_was_accepted() -> None:
    accepted = 5000 * facts.DAYS
    held = lambda lost: [Counter(events=accepted - lost)]  # noqa: E731
    # A thousandth is on its way, and 290 late events may be of earlier days.
    assert [judge("counted", happened=held(lost)).verdict for lost in (0, 435, 436, -145, -146)] == [
        "pass", "pass", "fail", "pass", "fail",
    ]  # fmt: skip


def test_both_real_time_counts_must_agree() -> None:
    assert [judge("windows", by_windows=n).verdict for n in (980, 979, 899, 1101)] == [
        "pass", "warn", "fail", "fail",
    ]  # fmt: skip
    assert judge("windows", by_windows=None).verdict == "unknown"


def test_faults_and_age_of_the_history() -> None:
    assert judge("history", history=History(NOW, ["daily: no rows of g"])).verdict == "fail"
    assert judge("history", history=History(NOW - timedelta(hours=5), [])).verdict == "warn"
    assert judge("history", history=None).verdict == "unknown"


@pytest.fixture
def platform(metrics_app: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LAKE_BUCKET", "lake")
    boto3.client("s3").create_bucket(Bucket="lake")
    from data_quality import handler

    handler.connections.cache_clear()
    yield handler
    handler.connections.cache_clear()


class Context:
    """What Lambda hands over."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "x"


def test_verdicts_reach_the_api_and_cloudwatch(
    platform: Any, metrics_app: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    games, stats = (boto3.resource("dynamodb").Table(name) for name in ("games", "ingest_stats"))
    games.put_item(Item={"game_id": "skyforge", "name": "Skyforge", "status": "active"})
    games.put_item(Item={"game_id": "gone", "name": "Gone", "status": "disabled"})
    today = f"skyforge#{datetime.now(UTC):%Y-%m-%d}"
    stats.put_item(Item={"game_day": today, "shard": "1", "accepted": 900, "rejected_future": 100})
    boto3.client("s3").put_object(
        Bucket="lake", Key="batch/runs/r/audit.json", Body=json.dumps({"faults": []}).encode()
    )
    counted = platform.lambda_handler({}, Context())
    assert counted == {"unknown": 3, "pass": 5, "fail": 2}
    emitted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert emitted[-1]["QualityChecksFailed"] == [2]
    assert emitted[-1]["QualityChecksWarned"] == [0]
    with TestClient(metrics_app) as api:
        answer = api.get("/v1/games/skyforge/quality").json()
        assert api.get("/v1/games/gone/quality").json()["checked_at"] is None
        assert api.get("/v1/games/other/quality").status_code == 404
    failed = {check["name"]: check["words"] for check in answer["checks"] if check["verdict"] == "fail"}
    assert failed == {
        "rejects": "10.00% of 1,000 events since yesterday began were refused, duplicates aside.",
        "counted": "900 events accepted in a month (0 of them late), 0 in player state.",
    }
    assert answer["failing"] == 2
    assert answer["hours"] == [
        {"checked_at": answer["checked_at"], "failed": ["rejects", "counted"], "warned": []}
    ]


def test_minutes_and_windows_of_the_same_half_hour_are_compared(platform: Any) -> None:
    _, store, _ = platform.connections()
    minute = int((NOW - timedelta(minutes=20)).timestamp()) // 60
    days, realtime = (boto3.resource("dynamodb").Table(name) for name in ("game_days", "realtime"))
    row = {"game_day": f"g#hour-{minute // 60}", "events": 7, "updated_at": "2026-03-10T12:49:00.000Z"}
    for at in (minute % 60, (minute + 15) % 60):
        days.put_item(Item=row | {"shard": f"{at:02}#ios#1.0.0#0"})
    for age, events in ((20, 6), (5, 9), (50, 9)):
        start = f"{NOW - timedelta(minutes=age):%Y-%m-%dT%H:%M:00Z}"
        measures = json.dumps({"events.crash": events, "unique.active_players": 3})
        realtime.put_item(Item={"series": "g#1m#*#*", "window": start, "measures": measures})
    found = facts.read(store, "g", NOW, None)
    assert (found.by_minutes, found.by_windows) == (7, 6)


def test_a_game_that_cannot_be_judged_does_not_stop_the_others(
    platform: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    games = boto3.resource("dynamodb").Table("games")
    for game_id in ("a-broken", "b-fine"):
        games.put_item(Item={"game_id": game_id, "name": game_id, "status": "active"})
    read = facts.read

    def broken(store: Any, game_id: str, *rest: Any) -> Facts:
        if game_id == "a-broken":
            raise ValueError("no such counter")
        return read(store, game_id, *rest)

    today = f"b-fine#{datetime.now(UTC):%Y-%m-%d}"
    stats = boto3.resource("dynamodb").Table("ingest_stats")
    stats.put_item(Item={"game_day": today, "shard": "1", "accepted": 900, "rejected_future": 100})
    monkeypatch.setattr(facts, "read", broken)
    with pytest.raises(NotJudgedError, match=r"a-broken \(no such counter\)"):
        platform.lambda_handler({}, Context())
    kept = boto3.resource("dynamodb").Table("quality").scan()["Items"]
    assert [item["game_id"] for item in kept] == ["b-fine"]
    emitted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [line["QualityChecksFailed"] for line in emitted] == [[2]]
