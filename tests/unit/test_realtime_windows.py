"""From a row of the metrics stream to the answer of the API."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest
import window_rows
from fastapi.testclient import TestClient
from realtime_windows import items
from realtime_windows.alerts import QUIET, SENTENCES, Alerts, NotDelivered
from tools import REPOSITORY
from window_rows import GAME, at, row


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rows be of the minutes before the test: a suite may run long after it was collected."""
    monkeypatch.setattr(window_rows, "NOW", datetime.now(UTC).replace(second=0, microsecond=0))


@pytest.fixture
def keep(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a function that hands rows to the Lambda."""
    monkeypatch.setenv("REALTIME_TABLE", "realtime")
    monkeypatch.setenv("RETENTION_HOURS", "48")
    from realtime_windows import handler

    handler.connection.cache_clear()
    handler.alerts.cache_clear()

    def invoke(*rows: dict[str, Any]) -> Any:
        records = [{"kinesis": {"data": base64.b64encode(json.dumps(row).encode()).decode()}} for row in rows]
        return handler.lambda_handler({"Records": records}, None)

    yield invoke
    handler.connection.cache_clear()


@pytest.fixture
def client(metrics_app: Any, dynamodb: Any) -> TestClient:
    """The API, with one game registered."""
    dynamodb.Table("games").put_item(Item={"game_id": GAME, "name": "Space Race", "status": "active"})
    return TestClient(metrics_app)


def test_a_window_becomes_an_answer(keep: Any, client: TestClient) -> None:
    measures = {
        "unique.active_players": 3, "unique.heartbeat_sessions": 2, "unique.reported_payers": 1,
        "events.session_start": 2, "events.session_end": 2, "events.crash": 1, "ended_seconds.sum": 90,
        "reported_purchases.USD": 2, "reported_revenue.USD": 998, "reported_purchases.EUR": 1,
        "reported_revenue.EUR": 100, "unverified_reported_revenue.USD": 499, "progression.fail": 4,
        "source.gold": 50, "sink.gems": 5, "fps.84": 1, "design.boss:dragon": 3, "events.ad_impression": 2,
        "ad_revenue_micros.USD": 12_500, "match_win.1.v.1": 1, "match_loss.1.v.1": 1,
        "match_abandoned.duel": 2,
    }  # fmt: skip
    assert keep(row(5, measures)) == {"batchItemFailures": []}
    answer = client.get(f"/v1/games/{GAME}/realtime").json()
    (window,) = answer["windows"]
    assert window == {
        "start": at(5),
        "active_players": 3,
        "heartbeat_sessions": 2,
        "session_starts": 2,
        "sessions_ended": 2,
        "ended_seconds_mean": 45.0,
        "events_by_type": {"ad_impression": 2, "crash": 1, "session_end": 2, "session_start": 2},
        "reported_purchases": {"EUR": 1, "USD": 2},
        "reported_revenue": {"EUR": 100, "USD": 998},
        "unverified_reported_revenue": {"USD": 499},
        "unverified_reported_share": {"EUR": 0.0, "USD": 0.5},
        "reported_payers": 1,
        "economy": {"gems": {"source": 0, "sink": 5}, "gold": {"source": 50, "sink": 0}},
        "progression_events": {"fail": 4},
        "design_events_by_name": {"boss:dragon": 3},
        "matches": {
            "1.v.1": {"wins": 1, "losses": 1, "draws": 0, "abandons": 0},
            "duel": {"wins": 0, "losses": 0, "draws": 0, "abandons": 2},
        },
        "impressions": 2,
        "ad_revenue_micros": {"USD": 12_500},
        "crash_events": 1,
        "scores_submitted": 0,
        "fps": {"p5": 58.8, "p50": 58.8, "p95": 58.8, "p99": 58.8},
        "latency_ms": None,
    }
    assert answer["alerts"] == []
    assert answer["dropped_events"] == 0


def test_a_window_written_again_replaces_itself(keep: Any, client: TestClient) -> None:
    keep(row(5, {"events.crash": 1}), row(5, {"events.crash": 1}))
    keep(row(5, {"events.crash": 2}))
    (window,) = client.get(f"/v1/games/{GAME}/realtime").json()["windows"]
    assert window["crash_events"] == 2


def test_windows_are_chosen_by_length_group_and_age(keep: Any, client: TestClient) -> None:
    ios = {"platform": "ios", "app_version": "1.0.0"}
    keep(row(5, {"events.crash": 1}), row(5, {"events.crash": 2}, **ios), row(5, {"events.crash": 3}, "5m"))
    keep(row(90, {"events.crash": 4}))
    get = lambda query: [  # noqa: E731
        window["crash_events"]
        for window in client.get(f"/v1/games/{GAME}/realtime?{query}").json()["windows"]
    ]
    assert get("") == [1]
    assert get("platform=ios&app_version=1.0.0") == [2]
    assert get("window=5m") == [3]
    assert get("minutes=1440") == [4, 1]
    assert client.get(f"/v1/games/{GAME}/realtime?window=2m").status_code == 422
    assert client.get("/v1/games/other/realtime").status_code == 404


def test_names_beyond_the_limit_are_other_and_told(keep: Any, client: TestClient) -> None:
    keep(row(5, {"source.gold": 5, "sink.gold": 1, "events.economy": 6}))
    assert client.get(f"/v1/games/{GAME}/realtime").json()["capped"] is False
    keep(row(4, {"source.other": 7, "source.*": 5, "sink.*": 2}))
    answer = client.get(f"/v1/games/{GAME}/realtime").json()
    assert answer["capped"] is True
    assert answer["windows"][1]["economy"] == {"other": {"source": 12, "sink": 2}}


def test_designs_and_modes_beyond_the_limit_are_other_and_told(keep: Any, client: TestClient) -> None:
    keep(row(5, {"design.other": 1, "match_win.other": 4}))
    assert client.get(f"/v1/games/{GAME}/realtime").json()["capped"] is False
    keep(row(4, {"design.other": 1, "design.*": 6}), row(3, {"match_draw.*": 2, "match_win.other": 4}))
    answer = client.get(f"/v1/games/{GAME}/realtime").json()
    assert answer["capped"] is True
    assert answer["windows"][1]["design_events_by_name"] == {"other": 7}
    assert answer["windows"][2]["matches"] == {"other": {"wins": 4, "losses": 0, "draws": 2, "abandons": 0}}


def test_versions_beyond_the_limit_are_other_and_told(keep: Any, client: TestClient) -> None:
    keep(row(5, {"events.crash": 9}), row(5, {"events.crash": 2}, app_version="1.0.0"))
    asked = f"/v1/games/{GAME}/realtime?app_version"
    assert client.get(f"{asked}=1.0.0").json()["capped"] is False
    keep(row(5, {"events.crash": 7}, app_version="other"))
    assert client.get(f"{asked}=1.0.0").json()["capped"] is True
    rest = client.get(f"{asked}=other").json()
    assert (rest["windows"][0]["crash_events"], rest["capped"]) == (7, True)
    assert client.get(f"{asked}=1.0.0&window=5m").json()["capped"] is False


def test_a_metric_counts_the_minutes_in_which_names_are_capped() -> None:
    other = {"app_version": "other"}
    rows = [
        row(5, {"source.gold": 1}), row(5, {"events.crash": 1}, app_version="1.0.0"),
        row(4, {"source.*": 1}), row(4, {"events.crash": 1}, **other), row(4, {"x": 1}, "5m", **other),
        row(4, {"x": 1}, platform="ios", **other), row(3, {"x": 1}, game_id="chess", **other),
        row(2, {"sink.*": 1}, "5m"), row(1, {"design.*": 1}), row(0, {"match_win.*": 1}),
        row(2, {"dropped.events": 1}, "dropped"),
        {"kind": "alert", "game_id": GAME, "alert": "a", "subject": "", "window_end": at(1)},
    ]  # fmt: skip
    assert items.capped_minutes(rows) == 4
    assert items.capped_minutes(rows[:2]) == 0


def test_alerts_and_late_events_are_told(keep: Any, client: TestClient) -> None:
    alert = {"kind": "alert", "game_id": GAME, "alert": "economy_inflation", "subject": "gold#2"}
    found = {"observed": 500.0, "reference": 10.0}
    keep(alert | found | {"window_end": at(9)}, alert | found | {"window_end": at(4)})
    keep(row(3, {"dropped.events": 7}, "dropped"), row(2, {"dropped.events": 1}, "dropped"))
    answer = client.get(f"/v1/games/{GAME}/realtime").json()
    assert answer["dropped_events"] == 8
    assert answer["alerts"] == [
        {"raised_at": at(minutes), "alert": "economy_inflation", "subject": "gold#2"} | found
        for minutes in (4, 9)
    ]


def declare(dynamodb: Any, **dimensions: tuple[str, str]) -> None:
    """Let the game declare custom dimensions by slot: each a name and a rule."""
    item = {"game_id": GAME, "name": "Space Race", "status": "active"}
    declared = {
        slot[-1]: {"name": name, "rule": rule, "values": ["eu", "us"]}
        for slot, (name, rule) in dimensions.items()
    }
    dynamodb.Table("games").put_item(Item=item | {"dimensions": declared})


def value_row(minutes: int, value: str, measures: dict[str, int], slot: int = 1) -> dict[str, Any]:
    """Return the job's row of a minute of a value."""
    return row(minutes, measures, platform=f"custom_{slot}", app_version=value)


def test_minutes_are_told_by_the_values_of_custom_dimensions(
    keep: Any, client: TestClient, dynamodb: Any
) -> None:
    declare(dynamodb, slot_1=("shard", "current"), slot_2=("class", "install"))
    paid = {"reported_revenue.EUR": 998, "reported_revenue.USD": 100, "unverified_reported_revenue.EUR": 499}
    keep(
        value_row(4, "eu", {"unique.active_players": 3, "events.crash": 2} | paid),
        value_row(6, "eu", {"unique.active_players": 1}),
        value_row(4, "us", {"unique.active_players": 9}),
        value_row(90, "us", {"unique.active_players": 8}),
        value_row(4, "m#1", {"unique.active_players": 7}, slot=2),
        value_row(4, "eu", {"unique.active_players": 5}) | {"game_id": "space"},
        row(4, {"unique.active_players": 12}),
    )
    answer = client.get(f"/v1/games/{GAME}/realtime/dimensions").json()
    nothing = {"crash_events": 0, "reported_revenue": {}, "unverified_reported_revenue": {}}
    assert answer["dimensions"] == [
        {
            "column": "custom_1",
            "name": "shard",
            "values": [
                {
                    "value": "eu",
                    "minutes": [
                        {"start": at(6), "active_players": 1} | nothing,
                        {
                            "start": at(4),
                            "active_players": 3,
                            "crash_events": 2,
                            "reported_revenue": {"EUR": 998, "USD": 100},
                            "unverified_reported_revenue": {"EUR": 499},
                        },
                    ],
                },
                {"value": "us", "minutes": [{"start": at(4), "active_players": 9} | nothing]},
            ],
        }
    ]
    assert answer["updated_at"] == at(4)
    (window,) = client.get(f"/v1/games/{GAME}/realtime").json()["windows"]
    assert window["active_players"] == 12
    get = lambda query: client.get(f"/v1/games/{GAME}/realtime/dimensions?{query}")  # noqa: E731
    (until,) = get(f"until={at(4)}&minutes=3").json()["dimensions"]
    assert [(one["value"], [m["start"] for m in one["minutes"]]) for one in until["values"]] == [
        ("eu", [at(6)])
    ]
    assert get("minutes=60").status_code == 200
    assert get("minutes=61").status_code == 422
    assert get("until=9999-12-31T23:59:59-14:00").status_code == 422
    declare(dynamodb, slot_1=("shard", "current"), slot_2=("class", "current"))
    _, second = get("").json()["dimensions"]
    assert (second["name"], second["values"][0]["value"]) == ("class", "m#1")


def test_a_game_without_custom_dimensions_has_no_minutes_by_value(keep: Any, client: TestClient) -> None:
    keep(value_row(4, "eu", {"unique.active_players": 3}))
    answer = client.get(f"/v1/games/{GAME}/realtime/dimensions").json()
    assert (answer["dimensions"], answer["updated_at"]) == ([], None)


def test_a_value_that_is_called_other_caps_nothing(keep: Any, client: TestClient, dynamodb: Any) -> None:
    told = [value_row(4, "other", {"unique.active_players": 3})]
    assert items.capped_minutes(told) == 0
    assert items.events_of(told[0]) == (0, 0)
    keep(*told)
    assert client.get(f"/v1/games/{GAME}/realtime?app_version=other").json()["capped"] is False


def test_items_expire(keep: Any, dynamodb: Any) -> None:
    keep(row(5, {"events.crash": 1}))
    (item,) = dynamodb.Table("realtime").scan()["Items"]
    assert int(item["expires_at"]) == int(
        (window_rows.NOW - timedelta(minutes=4) + timedelta(hours=48)).timestamp()
    )


class Bus:
    """EventBridge that keeps what it takes, and fails as told."""

    def __init__(self) -> None:
        self.details: list[dict[str, Any]] = []
        self.fails = False

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        if not self.fails:
            self.details += [json.loads(entry["Detail"]) for entry in Entries]
        return {"FailedEntryCount": int(self.fails)}


def raised(alert: str, subject: str = "", minutes: int = 0, game_id: str = GAME) -> dict[str, Any]:
    found = {"observed": 900.0 + len(subject), "reference": 1.0, "window_end": at(minutes)}
    return {"kind": "alert", "game_id": game_id, "alert": alert, "subject": subject, **found}


@pytest.fixture
def bus(dynamodb: Any) -> Bus:
    return Bus()


@pytest.fixture
def told(bus: Bus, dynamodb: Any) -> Alerts:
    return Alerts(bus, dynamodb.Table("realtime"), "player-analytics-test")  # type: ignore[arg-type]


def test_currencies_that_a_client_makes_up_are_one_message(told: Alerts, bus: Bus) -> None:
    flood = [raised("economy_inflation", f"coin-{n:05}" + "x" * 200) for n in range(1000)]
    assert told.send([*flood, raised("crash_spike")], window_rows.NOW) == 0
    assert [detail["alert"] for detail in bus.details] == ["economy_inflation", "crash_spike"]
    subject = bus.details[0]["subject"]
    assert subject.startswith("coin-00000x")
    assert subject.endswith(" and 995 more")
    assert len(subject) < 5 * 70


def test_a_game_is_told_of_a_kind_once_in_a_quarter_of_an_hour(told: Alerts, bus: Bus) -> None:
    for minute in range(60):
        moment = window_rows.NOW + timedelta(minutes=minute)
        told.send([raised("economy_inflation", f"coin-{minute}", -minute)], moment)
    told.send([raised("economy_inflation", "gold", game_id="chess")], window_rows.NOW)
    assert [detail["game_id"] for detail in bus.details] == [*[GAME] * 4, "chess"]


def test_an_alert_that_a_client_raises_again_and_again_hides_no_other(told: Alerts, bus: Bus) -> None:
    for minute in range(60):
        subject = "gold" if minute % 15 == 1 else "aaa-invented"
        told.send(
            [raised("economy_inflation", subject, -minute)], window_rows.NOW + timedelta(minutes=minute)
        )
    assert [detail["subject"] for detail in bus.details] == [
        "aaa-invented", *["aaa-invented, gold"] * 3
    ]  # fmt: skip
    for number in range(100):
        told.send([raised("economy_inflation", f"c-{number}", -59)], window_rows.NOW + timedelta(minutes=59))
    item = told.table.get_item(Key={"series": f"{GAME}#told", "window": "economy_inflation"})["Item"]
    assert len(item["waiting"]) == 50


def test_people_are_told_in_sentences(told: Alerts, bus: Bus) -> None:
    kinds = {"crash_spike": "", "economy_inflation": "gold", "players_drop": "", "revenue_stop": ""}
    assert kinds.keys() == SENTENCES.keys()
    told.send([raised(kind, subject) for kind, subject in kinds.items()], window_rows.NOW)
    path = f"/?game={GAME}&at={window_rows.NOW:%Y-%m-%dT%H:%MZ}"
    said = {
        detail["alert"]: detail["message"].removesuffix(f" On the page: {path}") for detail in bus.details
    }
    until = f"(minutes until {window_rows.NOW:%H:%M} UTC, {window_rows.NOW:%d %B})."
    assert said == {
        "crash_spike": f"{GAME} crashes more: 900.0 crashes in 1,000 minutes of play, 1.0 before {until}",
        "economy_inflation": f"{GAME} gives out much more than it takes back: 904 against 1 of gold {until}",
        "players_drop": f"{GAME} loses players: 900.0 sessions a minute send heartbeats, 1.0 before {until}",
        "revenue_stop": f"{GAME} sells nothing, after 1 purchases before {until}",
    }
    sql = (REPOSITORY / "functions" / "realtime_analytics" / "sql" / "alerts.sql").read_text()
    assert all(f"'{kind}'" in sql for kind in SENTENCES)


def test_a_message_links_to_the_page_at_the_minute(bus: Bus, dynamodb: Any) -> None:
    told = Alerts(bus, dynamodb.Table("realtime"), "s", "https://page.example.com")  # type: ignore[arg-type]
    told.send([raised("crash_spike", minutes=3)], window_rows.NOW)
    minute = window_rows.NOW - timedelta(minutes=3)
    link = f"https://page.example.com/?game={GAME}&at={minute:%Y-%m-%dT%H:%MZ}"
    assert bus.details[0]["message"].endswith(f" Page: {link}")


def test_windows_and_alerts_are_read_until_a_moment(keep: Any, client: TestClient) -> None:
    alert = {
        "kind": "alert",
        "game_id": GAME,
        "alert": "crash_spike",
        "subject": "",
        "observed": 1.0,
        "reference": 0,
    }
    keep(*(row(minutes, {"events.crash": minutes}) for minutes in (9, 6, 5, 4, 1)))
    keep(*(alert | {"window_end": at(minutes)} for minutes in (7, 6, 5, 2)))
    get = lambda query: client.get(f"/v1/games/{GAME}/realtime?{query}").json()  # noqa: E731
    answer = get(f"until={at(5)}&minutes=3")
    assert [window["start"] for window in answer["windows"]] == [at(6)]
    assert [one["raised_at"] for one in answer["alerts"]] == [at(6), at(7)]
    shifted = (window_rows.NOW - timedelta(minutes=5)).astimezone(timezone(timedelta(hours=2)))
    assert get(f"until={quote(shifted.isoformat())}&minutes=3") | {"as_of": 0} == answer | {"as_of": 0}
    assert client.get(f"/v1/games/{GAME}/realtime?until=yesterday").status_code == 422
    assert client.get(f"/v1/games/{GAME}/realtime?until=2026-01-01T00:00:00").status_code == 422
    for far in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"):
        assert client.get(f"/v1/games/{GAME}/realtime?until={far}").status_code == 422


def test_an_alert_that_the_job_repeats_after_a_crash_is_told_once(told: Alerts, bus: Bus) -> None:
    first, later = raised("crash_spike", minutes=5), raised("crash_spike")
    assert told.send([first], window_rows.NOW) == 0
    after_crash = window_rows.NOW + QUIET + timedelta(minutes=5)
    assert told.send([first], after_crash) == 1
    assert told.send([later], after_crash) == 0
    assert [detail["window_end"] for detail in bus.details] == [first["window_end"], later["window_end"]]


def test_an_alert_that_the_bus_did_not_take_is_sent_again(told: Alerts, bus: Bus) -> None:
    bus.fails = True
    with pytest.raises(NotDelivered):
        told.send([raised("revenue_stop")], window_rows.NOW)
    bus.fails = False
    assert told.send([raised("revenue_stop")], window_rows.NOW) == 0
    assert told.send([raised("revenue_stop")], window_rows.NOW) == 1
    assert [detail["alert"] for detail in bus.details] == ["revenue_stop"]


def test_alerts_of_long_ago_tell_nobody(told: Alerts, bus: Bus) -> None:
    assert told.send([raised("revenue_stop")], window_rows.NOW + timedelta(hours=2)) == 0
    assert bus.details == []


def test_the_function_sends_alerts_where_they_are_delivered(
    keep: Any, bus: Bus, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from realtime_windows import handler

    now = datetime.now(UTC)
    row = raised("crash_spike") | {"window_end": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    keep(row)
    assert bus.details == []
    table = dynamodb.Table("realtime")
    monkeypatch.setattr(handler, "alerts", lambda: Alerts(bus, table, "source"))  # type: ignore[arg-type]
    keep(row)
    assert [detail["alert"] for detail in bus.details] == ["crash_spike"]
