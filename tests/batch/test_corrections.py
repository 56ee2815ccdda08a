"""A correction by the command: counters, API and the next gold follow, and bronze keeps what came."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

import boto3
import pytest
from emulated_lake import Event, Spark, event
from enriched_stream import feed
from fastapi.testclient import TestClient
from player_state.players import PlayerStore
from tools.players import Platform
from tools.tables import KEYS

FIRST, GAME = "2026-02-09", "skyforge"
FAKE, WHY = "t-fake", "the store knows no such purchase"
TABLES = (
    "boards", "game_days", "games", "ingest_stats", "leaderboards", "players", "quality", "realtime",
    "recent_events",
)  # fmt: skip


def made(number: int, kind: str, player: str, game: str = GAME, **payload: Any) -> Event:
    session = str(UUID(int=1000 + number))
    return event(number, kind, FIRST, player, game_id=game, session_id=session, payload=payload)


def paid(number: int, player: str, amount: int, transaction: str) -> Event:
    sold = {"store": "apple", "transaction_id": transaction, "currency": "EUR", "amount_minor": amount}
    return made(number, "purchase", player, **sold)


HONEST = [made(1, "session_start", "ann"), made(2, "session_start", "bob"), paid(3, "ann", 499, "t-1")]
CHEATED = [paid(4, "bob", 9_999, FAKE), paid(5, "bob", 9_999, FAKE)]
WRONG = made(6, "session_start", "eve")


class Corrected:
    """A lake and tables before and after two corrections; runs of the job know of them by receipts alone."""

    def __init__(self, spark: Spark, api: TestClient) -> None:
        self.spark, self.lake, self.api = spark, spark.lake("corrections"), api
        store = PlayerStore(boto3.client("dynamodb"), "corrected-players", "corrected-game_days")
        assert feed(store, [*HONEST, *CHEATED, WRONG]).lost == []
        self.sent = self.lake.arrive("2026-02-10T00", [*HONEST, *CHEATED, WRONG, self.other(7)])
        self.run("first", 0)
        self.before = self.figures()

        platform = Platform({name: f"corrected-{name}" for name in TABLES}, self.lake.bucket, "arn:somebody")
        platform.apply(platform.void_purchase(GAME, "bob", "apple", FAKE, WHY))
        platform.apply(platform.void_events(GAME, [WRONG["event_id"]], date.fromisoformat(FIRST), WHY))
        # The cheater sends the purchase once more, and nothing else comes of the game.
        again = paid(8, "bob", 9_999, FAKE)
        assert feed(store, [again]).lost == []
        self.lake.arrive("2026-02-10T01", [again, CHEATED[0], WRONG, self.other(9)])
        self.run("second", 1)
        self.after = self.figures()
        self.lake.arrive("2026-02-10T02", [self.other(10)])
        self.run("third", 2)
        # An hour of bronze is taken once more.
        self.run("again", 0)
        self.later = self.figures()

    def other(self, number: int) -> Event:
        """Return an event of another game."""
        return made(number, "session_start", "cat", "farm")

    def run(self, name: str, hour: int) -> None:
        span = (f"2026-02-10T{hour:02}", f"2026-02-10T{hour + 1:02}")
        assert self.spark.drive(self.lake.steps("all", name, *span)) == [0]

    def figures(self) -> dict[str, Any]:
        """Return revenue and payers as the API and gold tell them, and the events that silver holds."""
        found = self.api.get(f"/v1/games/{GAME}/summary?from={FIRST}&to={FIRST}").json()["days"][0]
        profile = self.api.get(f"/v1/games/{GAME}/players/bob").json()
        total = {"game_id": GAME, "platform": "*", "country": "*", "app_version": "*"}
        rows = {
            table: [row for row in self.lake.table(table) if total.items() <= row.items()]
            for table in ("daily", "revenue")
        }
        (daily,), (revenue,) = rows["daily"], rows["revenue"]
        return {
            "live": (found["revenue"], found["purchases"], found["payers"], profile["spend"]),
            "gold": (int(revenue["gross_minor"]), revenue["purchases"], daily["payers"]),
            "active": daily["active_players"],
            "silver": sorted(
                UUID(row["event_id"]).int for row in self.lake.table("events") if row["game_id"] == GAME
            ),
        }


@pytest.fixture(scope="module")
def api(spark: Spark) -> Iterator[TestClient]:
    """The metrics API on tables of its own."""
    from metrics_api.app import app
    from telemetry import store

    dynamodb = boto3.resource("dynamodb")
    for name in ("game_days", "games", "players"):
        kinds = list(zip(KEYS[name], ("HASH", "RANGE"), strict=False))
        dynamodb.create_table(
            TableName=f"corrected-{name}",
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in kinds],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in kinds],
            BillingMode="PAY_PER_REQUEST",
        )
    dynamodb.Table("corrected-games").put_item(Item={"game_id": GAME, "name": "S", "status": "active"})
    with pytest.MonkeyPatch.context() as patch:
        for name in TABLES:
            patch.setenv(f"{name.upper()}_TABLE", f"corrected-{name}")
        store.store.cache_clear()
        yield TestClient(app)
        store.store.cache_clear()


@pytest.fixture(scope="module")
def corrected(spark: Spark, api: TestClient) -> Corrected:
    """Run the job, correct, and run it again."""
    with spark.computing():
        return Corrected(spark, api)


def test_live_figures_and_gold_follow_a_correction(corrected: Corrected) -> None:
    assert corrected.before == {
        "live": ({"EUR": 10_498}, 2, 2, {"EUR": 9_999}),
        "gold": (10_498, 2, 2),
        "active": 3,
        "silver": [1, 2, 3, 4, 5, 6],
    }
    assert corrected.after == {
        "live": ({"EUR": 499}, 1, 1, {"EUR": 0}),
        "gold": (499, 1, 1),
        "active": 2,
        "silver": [1, 2, 3],
    }


def test_what_is_taken_back_does_not_come_again(corrected: Corrected) -> None:
    assert corrected.later == corrected.after


def test_raw_events_stay_and_a_correction_is_applied_once(corrected: Corrected) -> None:
    body = boto3.client("s3").get_object(Bucket=corrected.lake.bucket, Key=corrected.sent)["Body"].read()
    assert body
    reports = {run: corrected.lake.report(run, "silver") for run in ("first", "second", "third")}
    assert {run: len(report["corrections"]) for run, report in reports.items()} == {
        "first": 0, "second": 2, "third": 0,
    }  # fmt: skip
    assert [game for game, _ in reports["second"]["touched"]] == ["farm", GAME]
    assert [game for game, _ in reports["third"]["touched"]] == ["farm"]
