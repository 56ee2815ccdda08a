"""Each check of a game's data on facts worked out by hand, then all through tables and API."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from data_quality import checks, facts
from data_quality.evaluation import NotEvaluatedError
from data_quality.facts import Facts, History
from fastapi.testclient import TestClient
from lake_audit import TAKEN, leave_audit
from lambda_context import Context
from telemetry import silver

NOW = datetime(2026, 3, 10, 12, 50, tzinfo=UTC)
USUAL = {"arrived": 5000, "accepted": 5000, "late": 10, "hour_10": 300, "hour_11": 400}


def judge(name: str, **given: Any) -> silver.Check:
    """Return one check of a month of usual days, but for what is given."""
    days = [Counter(USUAL) for _ in range(facts.DAYS)]
    shown = {"events_ad_impression": 4000, "events_design": 2000}
    counted = [Counter(events=day["accepted"], active_players=300, revenue_EUR=5000, **shown) for day in days]
    made = {
        "now": NOW, "arrived": days, "happened": counted, "updated_at": NOW - timedelta(minutes=1),
        "hours": [300] * 7 * 168, "by_minutes": 1000, "by_windows": 1000, "in_lake": 300, "lake": TAKEN,
        "history": History(NOW - timedelta(hours=1), {}, hour=NOW.replace(hour=10, minute=0)),
    }  # fmt: skip
    (found,) = [check for check in checks.run(Facts(**made | given)) if check.name == name]
    return found


def days(*last: dict[str, int]) -> list[Counter[str]]:
    """Return a month that ends with these days."""
    return [Counter(USUAL) for _ in range(facts.DAYS - len(last))] + [Counter(day) for day in last]


def test_usual_days_pass() -> None:
    names = [check.name for check in checks.run(Facts(NOW, days(), days()))]
    assert {name: judge(name).verdict for name in names} == dict.fromkeys(names, "pass")
    assert len(set(names)) == len(checks.CHECKS)


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
        ("repeated_sequence", "repeated_sequence", 11, 501),
    ],
)
def test_shares_of_ten_thousand_events(name: str, counter: str, warns: int, fails: int) -> None:
    def verdict(count: int) -> str:
        refused = count if counter.startswith("rejected") else 0
        return judge(name, arrived=days({"accepted": 10_000 - refused, counter: count}, {})).verdict

    assert [verdict(n) for n in (warns - 1, warns, fails - 1, fails)] == ["pass", "warn", "warn", "fail"]


def test_a_new_game_may_bring_its_past_along() -> None:
    brought = {"arrived": 10_000, "accepted": 10_000, "late": 9000}
    young: list[Counter[str]] = [Counter() for _ in range(facts.DAYS - 2)]
    assert judge("late", arrived=[*young, Counter(), Counter(brought)]).verdict == "unknown"
    assert judge("late", arrived=[*young, Counter(brought), Counter()]).verdict == "unknown"
    assert (
        judge("late", arrived=[*young[1:], Counter(arrived=1), Counter(), Counter(brought)]).verdict == "fail"
    )


def test_duplicates_are_no_rejects() -> None:
    assert judge("rejects", arrived=days({"accepted": 8000, "rejected_duplicate": 2000}, {})).value == 0


def test_player_state_must_have_what_was_accepted() -> None:
    accepted = 5000 * facts.DAYS
    held = lambda lost: [Counter(events=accepted - lost)]  # noqa: E731
    # A thousandth is on its way, and 290 late events may be of earlier days.
    assert [judge("counted", happened=held(lost)).verdict for lost in (0, 435, 436, -145, -146)] == [
        "pass", "pass", "fail", "pass", "fail",
    ]  # fmt: skip


def test_an_hour_is_held_against_the_same_hour_of_the_weeks_before() -> None:
    # 24 hours with 300 to 530 events, half of them at weekends.
    rhythm = [(300 + 10 * (hour % 24)) // (1 + (hour // 24 % 7 >= 5)) for hour in range(7 * 168 + 12)]
    usual = rhythm[-1]
    assert usual == 410
    told = judge("hour", hours=rhythm)
    assert told.message == "410 events between 11:00 and 12:00, as usual at this hour of the week."
    verdicts = [judge("hour", hours=[*rhythm[:-1], events]).verdict for events in (285, 275, 206, 204, 600)]
    assert verdicts == ["pass", "warn", "warn", "fail", "warn"]
    told = judge("hour", hours=[*rhythm[:-1], 0])
    assert (told.verdict, told.bound) == ("fail", 280.0)
    assert told.message == "0 events between 11:00 and 12:00; usual at this hour of the week are 280 to 546."
    assert judge("hour", hours=rhythm[-700:]).verdict == "pass"
    assert judge("hour", hours=rhythm[-4 * 168 :]).verdict == "unknown"
    assert judge("hour", hours=[hour // 10 for hour in rhythm[:-1]] + [0]).verdict == "pass"


def test_hours_that_are_over_are_read_in_order() -> None:
    counted = [Counter(), Counter(hour_22=3, hour_23=5), Counter(hour_00=7, hour_02=9)]
    three = [NOW.date() - timedelta(days=age) for age in (2, 1, 0)]
    assert facts.hours_of(three, counted, NOW.replace(hour=3)) == [3, 5, 7, 0, 9]
    assert facts.hours_of(three, counted, NOW.replace(hour=1)) == [3, 5, 7]
    assert facts.hours_of(three, [Counter()] * 3, NOW) == [0]


def test_what_was_read_must_have_been_accepted_or_rejected() -> None:
    read = {"arrived": 1000, "accepted": 900, "rejected_future": 60, "rejected_duplicate": 30}
    assert judge("reconciled", arrived=days(read | {"refused_again": 10}, {})).verdict == "pass"
    lost = judge("reconciled", arrived=days(read | {"refused_again": 9}, {}))
    assert (lost.verdict, lost.value) == ("fail", 1)
    assert judge("reconciled", arrived=days({}, {})).verdict == "unknown"


@pytest.mark.parametrize(
    ("gold", "verdict"),
    [
        ({"active_players": 298, "revenue_EUR": 4950}, "pass"),
        ({"active_players": 298, "revenue_EUR": 4940}, "warn"),
        ({"active_players": 316, "revenue_EUR": 5000}, "fail"),
        # A figure that the stream never counted, and one too small to judge.
        ({"active_players": 300, "revenue_USD": 700}, "fail"),
        ({"new_players": 99}, "unknown"),
        ({"events_ad_impression": 4000, "events_design": 2000}, "pass"),
        ({"events_ad_impression": 4000, "events_design": 2100}, "warn"),
        ({"events_ad_impression": 3000, "events_design": 2000}, "fail"),
    ],
)
def test_stream_and_batch_must_tell_the_same_of_a_day(gold: dict[str, int], verdict: str) -> None:
    assert judge("gold", lake=replace(TAKEN, days={"2026-03-09": gold})).verdict == verdict


def test_only_days_that_were_over_are_compared() -> None:
    running = replace(
        TAKEN, days={"2026-03-10": {"active_players": 150}, "2026-01-01": {"active_players": 150}}
    )
    assert judge("gold", lake=running).verdict == "unknown"
    told = judge("gold", lake=replace(TAKEN, days={"2026-03-09": {"active_players": 150}}))
    assert (
        told.message == "Furthest apart are active players of 2026-03-09: 150 in gold, 300 in player state."
    )
    assert (told.verdict, told.value) == ("fail", 0.5)


def test_silver_must_hold_the_hours_events() -> None:
    assert [judge("lake", in_lake=n).verdict for n in (290, 289, 310, 311)] == [
        "pass",
        "fail",
        "pass",
        "fail",
    ]
    yesterday = History(NOW, {}, hour=NOW.replace(hour=23, minute=0) - timedelta(days=1))
    accepted = days({"hour_23": 5000}, {})
    assert judge("lake", history=yesterday, arrived=accepted, in_lake=0).message == (
        "Of 5,000 events accepted in the hour of 2026-03-09 23:00 silver has 0."
    )
    old = History(NOW, {}, hour=NOW - timedelta(days=facts.DAYS))
    assert judge("lake", history=old, in_lake=0).verdict == "unknown"
    assert judge("lake", history=None, in_lake=None).verdict == "unknown"


@pytest.mark.parametrize(("hour", "verdict"), [("2026-03-09T22", "unknown"), ("2026-03-09T23", "pass")])
def test_gold_of_a_day_is_judged_once_its_last_hour_is_in_full(hour: str, verdict: str) -> None:
    newest = History(NOW, {}, hour=datetime.fromisoformat(f"{hour}:00+00:00"))
    assert judge("gold", history=newest).verdict == verdict


@pytest.mark.parametrize("wrong", [{"new": 99}, {"duplicates": 6}, {"held": 102}, {"held": 104}])
def test_bronze_must_be_silver_and_duplicates(wrong: dict[str, Any]) -> None:
    found = judge("merged", lake=replace(TAKEN, **wrong))
    assert (found.verdict, found.value) == ("fail", 1)


@pytest.mark.parametrize("name", ["nulls", "ranges"])
def test_one_field_that_breaks_its_schema_fails(name: str) -> None:
    broken: dict[str, Any] = {name: {"purchase.currency": 1, "sequence": 3}}
    found = judge(name, lake=replace(TAKEN, **broken))
    assert (found.verdict, found.value) == ("fail", 4)
    assert found.message.startswith("4 values in 2 fields")
    assert judge(name, lake=None).verdict == "unknown"


def test_gaps_in_sequences() -> None:
    verdict = lambda gapped: judge("sequence", lake=replace(TAKEN, gapped=gapped)).verdict  # noqa: E731
    assert [verdict(n) for n in (20, 21, 100, 101)] == ["pass", "warn", "warn", "fail"]
    assert judge("sequence", lake=replace(TAKEN, sequences=99, gapped=99)).verdict == "unknown"


def test_refunds_without_a_purchase() -> None:
    def found(refunds: int, unmatched: int) -> silver.Check:
        return judge("refunds", lake=replace(TAKEN, refunds=refunds, unmatched_refunds=unmatched))

    assert [found(1000, n).verdict for n in (0, 10, 11, 100, 101)] == ["pass", "pass", "warn", "warn", "fail"]
    assert found(1000, 11).message == "11 of 1,000 refunds name a purchase that no event has reported."
    few = found(19, 19)
    assert (few.verdict, few.value) == ("unknown", None)
    assert (
        few.message == "Fewer than 20 refunds. 19 of 19 refunds name a purchase that no event has reported."
    )
    assert (found(0, 0).verdict, found(19, 0).verdict) == ("pass", "pass")


def test_links_that_count_for_nothing() -> None:
    def found(links: int, ignored: int) -> silver.Check:
        return judge("links", lake=replace(TAKEN, links=links, ignored_links=ignored))

    assert [found(1000, n).verdict for n in (0, 50, 51, 250, 251)] == ["pass", "pass", "warn", "warn", "fail"]
    assert found(1000, 51).message == "949 links make a guest and its account one player; 51 are ignored."
    assert (found(19, 19).verdict, found(19, 0).verdict, found(0, 0).verdict) == ("unknown", "pass", "pass")


def test_values_of_custom_dimensions_that_are_not_declared() -> None:
    def found(values: int, undeclared: int) -> silver.Check:
        return judge("dimensions", lake=replace(TAKEN, values=values, undeclared_values=undeclared))

    assert [found(1000, n).verdict for n in (0, 10, 11, 1000)] == ["pass", "pass", "warn", "warn"]
    assert (found(99, 99).verdict, found(99, 0).verdict, found(0, 0).verdict) == ("unknown", "pass", "pass")
    assert found(1000, 11).message == (
        "11 of 1,000 values of custom dimensions are not declared: they count as other, or nowhere where the "
        "name is not declared either."
    )


def test_players_of_gold_are_not_compared_where_events_link_ids() -> None:
    days = {"2026-03-09": {"active_players": 150, "new_players": 1, "revenue_EUR": 99_999}}
    assert judge("gold", lake=replace(TAKEN, days=days)).message.startswith("Furthest apart are")
    linked = judge("gold", lake=replace(TAKEN, days=days, links=1))
    assert "players" not in linked.message.partition(":")[0]
    del days["2026-03-09"]["revenue_EUR"]
    assert judge("gold", lake=replace(TAKEN, days=days)).verdict == "fail"
    assert judge("gold", lake=replace(TAKEN, days=days, links=1)).verdict == "unknown"


def test_both_real_time_counts_must_agree() -> None:
    assert [judge("windows", by_windows=n).verdict for n in (980, 979, 899, 1101)] == [
        "pass", "warn", "fail", "fail",
    ]  # fmt: skip
    assert judge("windows", by_windows=None).verdict == "unknown"


def test_faults_and_age_of_the_history() -> None:
    newest = History(NOW, {"g": ["daily: no rows of g"]})
    assert judge("history", history=newest, faults=newest.faults["g"]).verdict == "fail"
    assert judge("history", history=newest).verdict == "pass", "another game was set aside"
    assert judge("history", history=History(NOW - timedelta(hours=5), {})).verdict == "warn"
    assert judge("history", history=History(NOW - timedelta(hours=27), {})).verdict == "fail"
    daily = timedelta(days=1)
    for hours, verdict in ((26, "pass"), (28, "warn"), (50, "fail")):
        aged = History(NOW - timedelta(hours=hours), {})
        assert judge("history", history=aged, history_every=daily).verdict == verdict
    assert judge("history", history=None).verdict == "unknown"


@pytest.fixture
def platform(metrics_app: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LAKE_BUCKET", "lake")
    monkeypatch.setenv("HISTORY_EVERY_HOURS", "24")
    boto3.client("s3").create_bucket(Bucket="lake")
    from data_quality import handler

    handler.connections.cache_clear()
    yield handler
    handler.connections.cache_clear()


def test_why_gold_of_a_game_must_not_be_published() -> None:
    assert silver.refused(replace(TAKEN, gapped=400)) == []
    assert silver.refused(replace(TAKEN, ranges={"performance.fps": 2}, held=102)) == [
        "Of 105 lines of bronze 100 were new and 5 duplicates; silver holds 102 of their 103 events.",
        "2 values in 1 fields of silver are out of range; most in performance.fps: 2.",
    ]


def test_verdicts_reach_the_api_and_cloudwatch(
    platform: Any, metrics_app: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    games, stats = (boto3.resource("dynamodb").Table(name) for name in ("games", "ingest_stats"))
    games.put_item(Item={"game_id": "skyforge", "name": "Skyforge", "status": "active"})
    games.put_item(Item={"game_id": "gone", "name": "Gone", "status": "disabled"})
    today = f"skyforge#{datetime.now(UTC):%Y-%m-%d}"
    stats.put_item(
        Item={"game_day": today, "shard": "1", "arrived": 1000, "accepted": 900, "rejected_future": 100}
    )
    leave_audit("r", nulls={"player_id": 3})
    counted = platform.lambda_handler({}, Context())
    assert counted == {"unknown": 5, "pass": 14, "fail": 3}
    emitted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    names = ("QualityChecksFailed", "QualityChecksWarned")
    assert [[line.get("game_id"), *(line[name] for name in names)] for line in emitted] == [
        ["skyforge", [3], [0]],
        [None, [3], [0]],
    ]
    with TestClient(metrics_app) as api:
        answer = api.get("/v1/games/skyforge/quality").json()
        assert api.get("/v1/games/gone/quality").json()["checked_at"] is None
        assert api.get("/v1/games/other/quality").status_code == 404
    failed = {check["name"]: check["message"] for check in answer["checks"] if check["verdict"] == "fail"}
    assert failed == {
        "rejects": "10.00% of 1,000 events since yesterday began were refused, duplicates aside.",
        "counted": "900 events accepted in a month (0 of them late), 0 in player state.",
        "nulls": "3 values in 1 fields of silver are missing; most in player_id: 3.",
    }
    assert answer["failing"] == 3
    assert answer["hours"] == [
        {"checked_at": answer["checked_at"], "failed": ["rejects", "counted", "nulls"], "warned": []}
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
    found = facts.read(store, "g", NOW, None, timedelta(hours=1))
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
    with pytest.raises(NotEvaluatedError, match=r"a-broken \(no such counter\)"):
        platform.lambda_handler({}, Context())
    kept = boto3.resource("dynamodb").Table("quality").scan()["Items"]
    assert [item["game_id"] for item in kept] == ["b-fine"]
    emitted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [(line.get("game_id"), line["QualityChecksFailed"]) for line in emitted] == [
        ("b-fine", [2]),
        (None, [2]),
    ]
