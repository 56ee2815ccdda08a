"""What the API says of a game now, and of its economy, funnel and retention: from events to answers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from enriched_stream import feed
from fastapi.testclient import TestClient
from player_state.players import PlayerStore
from telemetry.capped_names import SHOWN
from telemetry.client_names import NameLimits
from telemetry.enrichment import enrich, timestamp
from telemetry.origin import Origin

Send = Callable[..., None]
TODAY = datetime.now(UTC).date()


@pytest.fixture
def api(metrics_app: Any, dynamodb: Any) -> TestClient:
    for game, status in (("skyforge", "active"), ("closed", "disabled")):
        item = {"game_id": game, "name": game.title(), "status": status, "key_hashes": [{"hash": "secret"}]}
        dynamodb.Table("games").put_item(Item=item)
    return TestClient(metrics_app, raise_server_exceptions=False)


@pytest.fixture
def send(dynamodb: Any, make_event: Callable[..., dict[str, Any]]) -> Send:
    """Apply an event that happened some seconds ago, of the player and device named."""
    players = PlayerStore(boto3.client("dynamodb"), "players", "game_days")

    def apply(
        event_type: str,
        player: str,
        ago: float = 0,
        platform: str = "ios",
        version: str = "1.0",
        **payload: Any,
    ) -> None:
        now = datetime.now(UTC)
        event = make_event(
            event_type,
            player_id=player,
            session_id=str(uuid4()),
            event_time=timestamp(now - timedelta(seconds=ago)),
            sent_at=timestamp(now),
            client={"platform": platform, "app_version": version},
            payload=payload,
        )
        assert feed(players, [enrich(event, Origin(now, "rest"))]).lost == []

    return apply


def get(api: TestClient, path: str) -> dict[str, Any]:
    answer = api.get(f"/v1/games/skyforge{path}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_games_are_listed_without_their_keys(api: TestClient) -> None:
    answer = api.get("/v1/games")
    assert [(g["game_id"], g["name"], g["status"]) for g in answer.json()["games"]] == [
        ("closed", "Closed", "disabled"),
        ("skyforge", "Skyforge", "active"),
    ]
    assert "secret" not in answer.text


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock half a minute after today's noon, so that no minute ends during a test."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(TODAY.year, TODAY.month, TODAY.day, 12, 0, 30, tzinfo=tz)

    monkeypatch.setitem(globals(), "datetime", Stopped)
    for module in ("metrics_api.live", "metrics_api.parameters", "player_state.counters"):
        monkeypatch.setattr(f"{module}.datetime", Stopped)


def test_the_game_now(api: TestClient, send: Send, noon: None) -> None:
    for player in ("a", "b"):
        send("session_start", player, ago=35)
    send(
        "purchase",
        "a",
        transaction_id="t",
        currency="EUR",
        amount_minor=499,
        quantity=1,
        store="apple",
        product_id="p",
    )
    send("crash", "c", signature="x", fatal=True)
    body = get(api, "/live?minutes=10")
    assert body["concurrent_players"] == 3
    assert body["active_players"] == 2
    assert body["events_per_second"] == round(2 / 60, 2)
    assert len(body["minutes"]) == 10
    last, before = body["minutes"][-1], body["minutes"][-2]
    assert (before["events"], before["session_starts"], before["active_players"]) == (2, 2, 2)
    assert (last["purchase_events"], last["crash_events"], last["reported_revenue"]) == (1, 1, {"EUR": 499})
    assert last["unverified_reported_revenue"] == {"EUR": 499}
    assert last["unverified_reported_share"] == {"EUR": 1.0}
    assert body["events_by_type"] == {"session_start": 2, "purchase": 1, "crash": 1}
    assert (body["today"]["active_players"], body["today"]["new_players"]) == (3, 3)
    assert body["updated_at"] <= body["as_of"]


def test_performance_is_told_by_device(api: TestClient, send: Send) -> None:
    for platform, fps in (("ios", 60), ("ios", 60), ("android", 30)):
        send("performance", platform, platform=platform, version="1.2", fps=fps)
    body = get(api, "/live")
    assert [(p["platform"], p["app_version"], p["performance_events"]) for p in body["performance"]] == [
        ("ios", "1.2.0", 2),
        ("android", "1.2.0", 1),
    ]
    assert body["performance"][0]["fps"]["p50"] == pytest.approx(60, rel=0.03)
    assert body["performance"][0]["latency_ms"] is None
    assert not body["capped"]


def test_devices_beyond_the_limit_count_as_other_and_the_answer_says_so(api: TestClient, send: Send) -> None:
    limit = NameLimits().devices
    for number in range(limit + 5):
        send("performance", "a", version=f"{number}.0", fps=60 if number < limit else 30, latency_ms=9)
    body = get(api, "/live")
    assert body["capped"]
    assert len(body["performance"]) == limit + 1
    other = body["performance"][0]
    assert (other["platform"], other["app_version"], other["performance_events"]) == ("other", "other", 5)
    assert other["fps"]["p50"] == pytest.approx(30, rel=0.03)
    assert (other["latency_ms"]["p50"], other["load_time_ms"]) == (pytest.approx(9, rel=0.03), None)


def test_an_answer_by_names_covers_a_quarter_at_most(api: TestClient) -> None:
    for route in ("funnel", "economy"):
        assert get(api, f"/{route}?from={TODAY - timedelta(91)}&to={TODAY}")["capped"] is False
        answer = api.get(f"/v1/games/skyforge/{route}?from={TODAY - timedelta(92)}&to={TODAY}")
        assert answer.status_code == 422
        assert "at most 92 are answered" in answer.text


def test_a_game_nobody_plays_is_all_zeros(api: TestClient) -> None:
    body = get(api, "/live?minutes=1")
    assert (body["concurrent_players"], body["events_per_second"], body["updated_at"]) == (0, 0, None)
    assert get(api, "/funnel")["levels"] == []
    assert get(api, "/economy")["currencies"] == []
    assert all(cohort["cohort_players"] == 0 for cohort in get(api, "/retention")["cohorts"])


def test_the_funnel_counts_players_and_attempts(api: TestClient, send: Send) -> None:
    for player, status in (("a", "start"), ("a", "complete"), ("b", "start"), ("b", "fail"), ("b", "start")):
        send("progression", player, status=status, level_1="forest")
    send("session_start", "c")
    body = get(api, f"/funnel?from={TODAY}&to={TODAY}")
    assert {step["step"]: step["step_players"] for step in body["steps"]} == {
        "active": 3,
        "started a level": 2,
        "completed a level": 1,
        "paid": 0,
    }
    (forest,) = body["levels"]
    assert (forest["level"], forest["starts"], forest["completes"], forest["fails"]) == ("forest", 3, 1, 1)
    assert forest["completion"] == pytest.approx(1 / 3)


def test_names_beyond_the_limits_count_as_other_and_the_answer_says_so(api: TestClient, send: Send) -> None:
    limits = NameLimits()
    for number in range(limits.levels + 5):
        send("progression", "a", status="start", level_1=f"level-{number:03}")
    send("progression", "a", status="start", level_1="level-000")
    body = get(api, f"/funnel?from={TODAY}&to={TODAY}")
    assert body["capped"]
    assert len(body["levels"]) == SHOWN + 1
    shown = {level["level"]: level["starts"] for level in body["levels"]}
    assert (shown["level-000"], shown["other"]) == (2, limits.levels + 6 - SHOWN - 1)
    assert sum(shown.values()) == limits.levels + 6
    assert not get(api, "/economy")["capped"]


def test_the_economy_is_told_by_currency_and_reason(api: TestClient, send: Send) -> None:
    for flow, amount, reason in (("source", 50, "quest"), ("source", 70, "quest"), ("sink", 30, "shop")):
        send(
            "economy",
            "a",
            flow=flow,
            currency="gold",
            amount=amount,
            item="x",
            reason=reason,
            balance_after=1,
        )
    (gold,) = get(api, "/economy")["currencies"]
    assert (gold["source"], gold["sink"], gold["net"]) == (120, 30, 90)
    assert gold["reasons"][0] == {"reason": "quest", "flow": "source", "amount": 120}


def test_a_currency_of_small_amounts_keeps_its_reasons_and_every_currency_its_sums(
    api: TestClient, send: Send
) -> None:
    for number in range(SHOWN + 20):
        of = {"item": "x", "balance_after": 1, "currency": "coins", "reason": f"level-{number:03}"}
        send("economy", "a", flow="source", amount=1_000_000 + number, **of)
    for flow, amount in (("source", 7), ("sink", 3)):
        of = {"item": "x", "balance_after": 1, "currency": "gems", "reason": "gift"}
        send("economy", "a", flow=flow, amount=amount, **of)
    answer = get(api, "/economy")
    coins, gems = answer["currencies"]
    assert (gems["currency"], gems["source"], gems["sink"], gems["net"]) == ("gems", 7, 3, 4)
    assert [one["reason"] for one in gems["reasons"]] == ["gift", "gift"]
    assert coins["source"] == sum(1_000_000 + number for number in range(SHOWN + 20))
    # The largest stand alone; the rest is an `other` of the same currency.
    by_reason = {one["reason"]: one["amount"] for one in coins["reasons"]}
    assert by_reason.pop("other") == sum(1_000_000 + number for number in range(21))
    assert sorted(by_reason) == [f"level-{number:03}" for number in range(21, SHOWN + 20)]
    assert answer["capped"]


def test_weeks_and_months_count_each_player_once(api: TestClient, send: Send) -> None:
    for player, days_ago in (("a", 0), ("a", 3), ("b", 6), ("c", 8), ("d", 20)):
        send("session_start", player, ago=days_ago * 86400)
    (today,) = get(api, f"/summary?from={TODAY}&to={TODAY}")["days"]
    assert (today["active_players"], today["weekly_active_players"]) == (1, 2)
    assert (today["monthly_active_players"], today["stickiness"]) == (4, 0.25)


def test_retention_is_a_triangle(api: TestClient, send: Send) -> None:
    day = 86400
    for player, days_ago in (("a", 3), ("a", 2), ("a", 0), ("b", 3), ("b", 1), ("c", 2)):
        send("session_start", player, ago=days_ago * day)
    body = get(api, f"/retention?from={TODAY - timedelta(days=3)}&to={TODAY}&depth=4")
    players = [cohort["retained_players"] for cohort in body["cohorts"]]
    assert players == [
        [2, 1, 1, None, None],
        [1, 0, None, None, None],
        [0, None, None, None, None],
        [0, None, None, None, None],
    ]
    assert body["cohorts"][0]["retention"] == [1.0, 0.5, 0.5, None, None]


def test_a_cohort_that_moved_in_another_shard_is_taken_off(api: TestClient, dynamodb: Any) -> None:
    key = {"game_day": f"skyforge#{TODAY}#cohort", "updated_at": "2026-01-31T00:00:00.000Z"}
    for shard, players in (("a", -2), ("b", 5)):
        dynamodb.Table("game_days").put_item(Item=key | {"shard": shard, "retained_0": players})
    assert get(api, f"/retention?from={TODAY}&to={TODAY}")["cohorts"][0]["cohort_players"] == 3


@pytest.mark.parametrize(
    "path", ["/live?minutes=0", "/live?minutes=181", "/retention?depth=91", "/funnel?from=x"]
)
def test_a_bad_question_is_a_problem(api: TestClient, path: str) -> None:
    answer = api.get(f"/v1/games/skyforge{path}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_unknown_game_is_a_problem(api: TestClient) -> None:
    assert api.get("/v1/games/nobodys/live").status_code == 404


def test_a_session_is_open_until_it_ends_or_pauses_for_half_an_hour(api: TestClient, send: Send) -> None:
    for player, event_type, ago, payload in (
        ("a", "session_start", 60, {}),
        ("b", "session_start", 3600, {}),
        ("c", "session_end", 60, {"duration_seconds": 30}),
    ):
        send(event_type, player, ago=ago, **payload)
    open_now = {player: get(api, f"/players/{player}")["open_sessions"] for player in "abc"}
    assert [len(sessions) for sessions in open_now.values()] == [1, 0, 0]
    assert open_now["a"][0]["started_at"] == open_now["a"][0]["last_event_at"]
