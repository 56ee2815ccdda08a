"""Corrections: live counters, profile and API follow at once, and nothing that is sent again undoes them."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import boto3
import plain_state
import pytest
from botocore.exceptions import ClientError
from enriched_stream import feed, positioned
from fake_aws import Tables
from fastapi.testclient import TestClient
from player_events import NOON, happen, pay, write
from player_state import buckets
from player_state.players import PlayerStore
from player_state.projection import REMEMBERED_TRANSACTIONS
from player_tables import day_counters
from telemetry.corrections import PREFIX, Correction
from tools import CommandError
from tools import players as tool
from tools.players import Platform

DAY, SHARD = NOON.date(), "shardId-000000000000"
WHY = "the store knows no such purchase"


@pytest.fixture
def platform(dynamodb: Any) -> Platform:
    dynamodb.Table("games").put_item(Item={"game_id": "skyforge", "name": "Skyforge", "status": "active"})
    boto3.client("s3").create_bucket(Bucket="lake")
    return Platform({name: name for name in ("games", "players", "game_days")}, "lake", "arn:somebody")


@pytest.fixture
def summary(metrics_app: Any) -> Callable[[], dict[str, Any]]:
    """Return the day and the player as the API tells them."""
    api = TestClient(metrics_app)

    def read() -> dict[str, Any]:
        found = {}
        for path in (f"summary?from={DAY}&to={DAY}", "players/p-1"):
            answer = api.get(f"/v1/games/skyforge/{path}")
            assert answer.status_code == 200, answer.text
            found |= answer.json()
        told = ("purchases", "revenue", "payers", "currency_payers")
        of_player = ("purchases", "spend", "paid_days")
        return {name: found["days"][0][name] for name in told} | {f"own_{n}": found[n] for n in of_player}

    return read


def receipts() -> list[dict[str, Any]]:
    s3 = boto3.client("s3")
    found = s3.list_objects_v2(Bucket="lake").get("Contents", [])
    return [json.loads(s3.get_object(Bucket="lake", Key=one["Key"])["Body"].read()) for one in found]


def void(platform: Platform, event: dict[str, Any], player: str = "p-1", **options: Any) -> str:
    sold = event["payload"]
    plan = platform.void_purchase("skyforge", player, sold["store"], sold["transaction_id"], WHY, **options)
    return platform.apply(plan)


def test_a_fake_purchase_counts_nowhere_and_never_again(
    platform: Platform, summary: Callable[[], dict[str, Any]]
) -> None:
    honest, fake, yen = pay(0, 499), pay(5, 9_999), pay(6, 120, "JPY")
    write(happen(), honest)
    expected = summary()
    write(fake, yen)
    assert summary()["revenue"] == {"EUR": 10_498, "JPY": 120}
    void(platform, fake)
    void(platform, yen)
    left = {"revenue": {"EUR": 499, "JPY": 0}, "own_spend": {"EUR": 499, "JPY": 0}}
    assert summary() == expected | left | {"currency_payers": {"EUR": 1, "JPY": 0}}
    for minute in (-60, 5, 60):  # a report of the server, before and after the client's
        for verified in (False, True):
            write(pay(minute, 9_999) | {"payload": fake["payload"], "verified": verified})
    assert summary()["revenue"] == {"EUR": 499, "JPY": 0}
    assert void(platform, fake, day=DAY)
    assert summary()["revenue"] == {"EUR": 499, "JPY": 0}, "it is taken back once"


def test_whoever_paid_nothing_else_is_no_payer_and_the_receipt_names_nobody(
    platform: Platform, summary: Callable[[], dict[str, Any]]
) -> None:
    fake = pay(0, 9_999)
    write(happen(), fake)
    key = void(platform, fake)
    assert summary() == {
        "purchases": 0, "revenue": {"EUR": 0}, "payers": 0, "currency_payers": {"EUR": 0},
        "own_purchases": 0, "own_spend": {"EUR": 0}, "own_paid_days": [],
    }  # fmt: skip
    (receipt,) = receipts()
    assert receipt["changes"] == {
        str(DAY): {
            "purchases": -1, "revenue_EUR": -9_999, "unverified_revenue_EUR": -9_999, "payers": -1,
            "payers_EUR": -1,
        }
    }  # fmt: skip
    assert (receipt["by"], receipt["reason"], receipt["days"]) == ("arn:somebody", WHY, [str(DAY)])
    assert "p-1" not in json.dumps(receipt)
    assert key.startswith(PREFIX)
    assert Correction.read(json.dumps(receipt)).voids(fake)


def test_a_batch_that_is_read_again_and_goes_on_keeps_the_correction(
    platform: Platform, summary: Callable[[], dict[str, Any]]
) -> None:
    fake, later = pay(0, 9_999), pay(1, 499)
    store = PlayerStore(boto3.client("dynamodb"), "players", "game_days")
    batch = positioned([happen(), fake])
    store.apply(batch, "shardId-000000000000")
    void(platform, fake)
    store.apply(batch, "shardId-000000000000")
    feed(store, [later])
    assert (summary()["revenue"], summary()["own_spend"]) == ({"EUR": 499}, {"EUR": 499})


def test_a_player_who_plays_meanwhile_loses_nothing(
    platform: Platform, summary: Callable[[], dict[str, Any]]
) -> None:
    fake, honest = pay(0, 9_999), pay(1, 499)
    write(happen(), fake)
    sold = fake["payload"]
    plan = platform.void_purchase("skyforge", "p-1", sold["store"], sold["transaction_id"], WHY)
    write(honest)
    with pytest.raises(CommandError, match="run the same command again"):
        platform.apply(plan)
    assert summary()["revenue"] == {"EUR": 10_498}
    void(platform, fake)
    assert summary()["revenue"] == {"EUR": 499}


class DiedError(BaseException):
    """Lambda ends the function between two writes."""


@dataclass(slots=True)
class Interrupted:
    """Tables of which something happens before the n-th write; the batch may die just before the m-th."""

    tables: Tables
    number: int
    happen: Callable[[], Any]
    dies: int
    writes: int = 0

    @property
    def exceptions(self) -> Any:
        return self.tables.exceptions

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.tables, name)
        return (lambda **request: self._write(call, request)) if name in WRITES else call

    def _write(self, call: Callable[..., Any], request: dict[str, Any]) -> Any:
        self.writes += 1
        if self.writes == self.number:
            self.happen()
        if self.writes == self.dies:
            raise DiedError
        return call(**request)


WRITES = ("put_item", "transact_write_items", "update_item")
FAKE, OTHER = pay(0, 9_999), pay(5, 499)
NEXT_DAY = 24 * 60


def again(event: dict[str, Any], minute: float, *, verified: bool = False) -> dict[str, Any]:
    """Return another report of a purchase."""
    return happen("purchase", minute, **event["payload"]) | {"verified": verified}


def back(event: dict[str, Any], minute: float, **payload: Any) -> dict[str, Any]:
    """Return a refund of a purchase."""
    sold = {name: event["payload"][name] for name in ("store", "transaction_id")}
    return happen("refund", minute, refund_id=f"r-{minute}", refund_kind="refund", **sold, **payload)


# What was counted before, and the batch during which FAKE is taken back.
BATCHES = {
    "another purchase of its day": ([happen(), FAKE], [OTHER]),
    "a purchase of another day": ([happen(), FAKE], [pay(NEXT_DAY, 499)]),
    "the report of the server": ([happen(), FAKE], [again(FAKE, 3, verified=True)]),
    "an earlier report": ([happen(), FAKE], [again(FAKE, -NEXT_DAY)]),
    "its refund": ([happen(), FAKE, OTHER], [back(FAKE, NEXT_DAY)]),
    "a refund of another one": ([happen(), FAKE, OTHER], [back(OTHER, NEXT_DAY, amount_minor=99)]),
    "its first report": ([happen()], [FAKE, again(FAKE, 1, verified=True)]),
    "the first events of its player": ([], [FAKE, OTHER]),
    "all of them": (
        [happen(), FAKE, back(OTHER, 7)],
        [
            OTHER, again(FAKE, -NEXT_DAY), back(FAKE, 9), pay(NEXT_DAY, 5, "JPY"),
            again(OTHER, 1, verified=True),
        ],
    ),
}  # fmt: skip


@pytest.fixture
def in_memory(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Callable[[Tables], None]:
    """Return what has the command write players and counters into tables in memory."""
    resource, s3 = boto3.resource("dynamodb"), boto3.client("s3")
    monkeypatch.setattr(boto3, "resource", lambda name: resource)

    def use(tables: Tables) -> None:
        monkeypatch.setattr(boto3, "client", {"dynamodb": tables, "s3": s3}.get)

    return use


def writes_beside(platform: Platform, tables: Tables, batch: str, number: int, dies: int = 0) -> int:
    """Take FAKE back before a write of a batch, or behind it; return how many writes there are."""
    earlier, events = BATCHES[batch]

    def take_back() -> None:
        for day in (None, DAY, DAY):
            with suppress(CommandError):
                void(platform, FAKE, day=day)
                return
        raise AssertionError("the command does not end")

    if earlier:
        assert not feed(PlayerStore(tables, "players", "game_days"), earlier).lost
    stopped, records = Interrupted(tables, number, take_back, dies), positioned(events)
    with suppress(DiedError):
        assert not PlayerStore(stopped, "players", "game_days").apply(records, SHARD).lost
    if stopped.writes == dies:
        assert not PlayerStore(stopped, "players", "game_days").apply(records, SHARD).lost
    if stopped.writes < number:
        take_back()
    later = positioned([again(FAKE, -3, verified=True), pay(2 * NEXT_DAY, 1)])
    assert not PlayerStore(tables, "players", "game_days").apply(later, SHARD).lost
    sent = [*earlier, *events, *(record.event for record in later)]
    assert day_counters(tables) == plain_state.days(sent, {plain_state.paid_by(FAKE)})
    return stopped.writes


@pytest.mark.parametrize("batch", BATCHES)
def test_a_purchase_that_is_taken_back_during_a_batch_counts_nowhere(
    platform: Platform, in_memory: Callable[[Tables], None], batch: str
) -> None:
    """It is taken back before each write. The batch dies before each one from there on, or runs through."""

    def writes(number: int, dies: int = 0) -> int:
        in_memory(tables := Tables())
        return writes_beside(platform, tables, batch, number, dies)

    number = 1
    while number <= (most := writes(number)):
        for dies in range(number, most + 1):
            writes(number, dies)
        number += 1
    assert number >= 3


def test_a_purchase_that_nobody_knows_needs_its_day(platform: Platform) -> None:
    write(*(pay(n, 1) for n in range(REMEMBERED_TRANSACTIONS + 1)))
    unknown = pay(0, 5)
    with pytest.raises(CommandError, match="give --day"):
        void(platform, unknown)
    with pytest.raises(CommandError, match="give --day"):
        void(platform, unknown, player="nobody")
    assert receipts() == []
    void(platform, unknown, player="nobody", day=DAY)
    (receipt,) = receipts()
    assert (receipt["days"], receipt["changes"]) == ([str(DAY)], {})
    with pytest.raises(CommandError, match="not registered"):
        platform.void_purchase("farm", "p-1", "apple", "t", WHY)


def test_events_are_taken_back_by_their_ids(platform: Platform) -> None:
    event, other = happen(), happen()
    key = platform.apply(platform.void_events("skyforge", [event["event_id"].upper()], DAY, WHY))
    (receipt,) = receipts()
    assert receipt["event_ids"] == [event["event_id"]]
    assert key.endswith(f"{event['event_id']}.json")
    correction = Correction.read(json.dumps(receipt))
    assert [correction.voids(one) for one in (event, other, event | {"game_id": "farm"})] == [
        True,
        False,
        False,
    ]
    with pytest.raises(CommandError, match="UUID"):
        platform.void_events("skyforge", ["7"], DAY, WHY)


def test_a_counter_is_adjusted_and_never_below_zero(
    platform: Platform, summary: Callable[[], dict[str, Any]]
) -> None:
    write(happen(), pay(0, 499), happen("progression", status="start", level_1="forest"))
    day = buckets.of_day(str(DAY))
    change = platform.adjustment("skyforge", day, "revenue_EUR", -99, WHY)
    platform.adjust(change)
    assert summary()["revenue"] == {"EUR": 400}
    assert receipts()[0] | {"before": 499, "added": -99, "counter": "revenue_EUR"} == receipts()[0]
    change.apply(boto3.resource("dynamodb").Table("game_days"))
    assert summary()["revenue"] == {"EUR": 400}, "it counts once"
    level = buckets.of_level(str(DAY), "forest")
    platform.adjust(platform.adjustment("skyforge", level, "start", 2, WHY))
    assert platform.counted("skyforge", level) == {"start": 3}
    assert platform.counted("skyforge", buckets.of_level(str(DAY), "fore")) == {}
    with pytest.raises(CommandError, match="cannot fall by 401"):
        platform.adjustment("skyforge", day, "revenue_EUR", -401, WHY)
    with pytest.raises(CommandError, match="revenue_EUR"):
        platform.adjustment("skyforge", day, "revenue_USD", 1, WHY)


def test_a_counter_that_cannot_be_changed_leaves_no_receipt(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(pay(0, 499))
    change = platform.adjustment("skyforge", buckets.of_day(str(DAY)), "revenue_EUR", -99, WHY)
    monkeypatch.setattr(Platform, "_table", lambda self, name: boto3.resource("dynamodb").Table("nowhere"))
    with pytest.raises(ClientError):
        platform.adjust(change)
    assert receipts() == []


def test_what_was_taken_back_never_counts_whatever_is_bought_afterwards(
    platform: Platform, summary: Callable[[], dict[str, Any]]
) -> None:
    fake = pay(0, 9_999)
    write(happen(), fake)
    void(platform, fake)
    write(*(pay(n, 100) for n in range(2 * REMEMBERED_TRANSACTIONS)))
    write(happen("purchase", 90, **fake["payload"]))
    assert summary()["revenue"] == {"EUR": 200 * REMEMBERED_TRANSACTIONS}


def test_the_command_shows_what_it_changes_and_asks(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake, asked = pay(0, 9_999), list[str]()
    write(fake)
    monkeypatch.setattr(tool, "_open", lambda environment, game_id: platform)
    sold = fake["payload"]
    command = ["players", "void-purchase", "skyforge", "p-1", sold["store"], sold["transaction_id"]]
    monkeypatch.setattr("sys.argv", [*command, "--reason", WHY])
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
    with pytest.raises(CommandError, match="--yes"):
        tool.main()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "y")
    with pytest.raises(CommandError, match="nothing was changed"):
        tool.main()
    assert "9999 EUR" in asked[0]
    assert receipts() == []
    monkeypatch.setattr("builtins.input", lambda question: "skyforge")
    tool.main()
    assert PREFIX in capsys.readouterr().out
    assert len(receipts()) == 1
    monkeypatch.setattr(
        "sys.argv", ["players", "adjust", "skyforge", str(DAY), "events", "1", "--yes", "--reason", WHY]
    )
    tool.main()
    assert len(receipts()) == 2
