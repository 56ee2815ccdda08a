"""Nothing that a client sends makes a write too large, an item too large, or another game wait."""

import itertools
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import player_events
import pytest
from enriched_stream import feed, leaderboards_of
from fake_aws import Tables, encode, records
from player_events import NOON
from player_state import buckets, handler, projection, watermarks
from player_state.corrections import MAX_BUCKETS, CorrectedPlayers, counted
from player_state.counters import MAX_NAMES, Addition, Counters, Delta
from player_state.players import PlayerStore
from player_state.projection import REMEMBERED_REFUNDS, Projection
from player_tables import day_counters
from processor.triage import order_key
from telemetry import catalog
from telemetry.boards import Board
from telemetry.client_names import NameLimits
from telemetry.enrichment import timestamp
from telemetry.histogram import MEASURES, bin_of
from telemetry.player_item import NUMBERS, SETS, Payment, Play, Player, Refund, Watermark, to_item
from telemetry.raw_position import RawPosition
from tools import REPOSITORY
from tools.boards import MAX_BOARDS_OF_A_SCORE

# Amazon DynamoDB Developer Guide, "Quotas and limits".
MAX_EXPRESSION_BYTES = 4096
MAX_NAMES_AND_VALUES_BYTES = 2 * 1024 * 1024
MAX_ITEM_BYTES = 400 * 1024
MAX_STATE_BYTES = watermarks.MAX_BYTES + 20_000
# What an item of counters may take by this project's own rule: a write bills each started KB.
MAX_COUNTER_BYTES, MAX_PLAYER_BYTES = 10 * 1024, 60 * 1024
DAY, MINUTE = "2026-03-10", int(NOON.timestamp()) // 60
SHARD = "shardId-000000000000"
HUGE = 2**62
Event = dict[str, Any]


def schema(event_type: str) -> Event:
    documents = catalog.documents()
    return catalog.resolved(documents[f"/{event_type}/1-0-0.json"], documents)["properties"]


def widest() -> Iterator[tuple[buckets.Bucket, set[str]]]:
    """Yield the bucket of each kind with every counter that any client can make it have."""
    types = {f"events_{kind}" for kind, _ in catalog.event_types()}
    codes = schema("purchase")["currency"]["enum"]
    paid = {f"{name}_{code}" for name in ("revenue", "payers", "unverified_revenue") for code in codes}
    longest = "x" * 64
    day = {"events", "active_players", "new_players", "play_ms", "purchases"}
    day |= {"payers", "players_started", "players_completed", "trials", "sandbox_purchases"}
    yield buckets.of_day(DAY), day | types | paid
    yield buckets.of_refunds(DAY), {"refunds"} | {f"refunded_{code}" for code in codes}
    minute = {"events", "active_players", "concurrent_players"}
    minute |= {f"{name}reported_revenue_{code}" for name in ("", "unverified_") for code in codes}
    yield buckets.of_minute(MINUTE), minute | types
    yield buckets.of_month(NOON.date()), {f"{w}_{n}" for w in projection.WINDOWS for n in range(1, 32)}
    yield buckets.of_cohort(DAY), {f"retained_{n}" for n in range(projection.MAX_COHORT_DAY + 1)}
    yield buckets.of_level(DAY, longest), {"start", "complete", "fail"}
    yield buckets.of_flow(DAY, f"{longest}#{longest}"), {"source", "sink"}
    priced = schema("ad_impression")["currency"]["enum"]
    shown = {f"{counter}_{code}" for code in priced for counter in ("impressions", "ad_revenue")}
    shown |= {"impressions", "completed_impressions"}
    yield buckets.of_ad(DAY, f"{longest}#{longest}#interstitial"), shown
    yield buckets.of_design(DAY, longest * 2), {"design_events", "valued_events", "value_millionths"}
    fps = {f"fps_bin_{n}" for n in range(bin_of(schema("performance")["fps"]["maximum"]) + 1)}
    yield buckets.of_version(DAY, "1" * 98), {"active_sessions", "crash_events", "crashed_sessions"} | fps
    measured = {"performance_events"}
    for measure, letter in MEASURES.items():
        last = bin_of(schema("performance")[measure]["maximum"])
        measured |= {f"{letter}_{n}" for n in range(last + 1)}
    yield buckets.of_device(MINUTE, f"playstation#{'1' * 98}"), measured


@pytest.mark.parametrize(
    "bucket", list(widest()), ids=lambda found: getattr(found[0], "period", "") + found[0].row[:20]
)
def test_the_widest_update_of_each_kind_is_within_the_limits(bucket: tuple[buckets.Bucket, set[str]]) -> None:
    where, names = bucket
    tables, sent = Tables(), list[Event]()

    class Client:
        exceptions = tables.exceptions

        def update_item(self, **request: Any) -> Event:
            sent.append(request)
            return tables.update_item(**request)

    # One event adds to four bins of a device at most, so a write of all of them is divided between events.
    each = [names] if len(names) <= MAX_NAMES else [{name} for name in sorted(names)]
    deltas = [Delta(10**56 + n, dict.fromkeys(some, HUGE)) for n, some in enumerate(each)]
    Counters(Client(), "game_days").add(Addition("g" * 63, where, deltas), SHARD)
    assert len(sent) == math.ceil(len(names) / MAX_NAMES)
    for request in sent:
        assert len(request["UpdateExpression"].encode()) <= MAX_EXPRESSION_BYTES
        variables = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        assert len(json.dumps(variables)) <= MAX_NAMES_AND_VALUES_BYTES
    (item,) = tables.items["game_days"].values()
    assert len(names) < len(item)
    ordinary = {name: {"N": "12345678"} if "N" in value else value for name, value in item.items()}
    assert billed(ordinary) <= MAX_COUNTER_BYTES


def test_a_write_of_more_counters_than_an_expression_holds_is_divided() -> None:
    tables, sizes = Tables(), list[int]()

    class Client:
        exceptions = tables.exceptions

        def update_item(self, **request: Any) -> Event:
            sizes.append(len(request["UpdateExpression"]))
            return tables.update_item(**request)

        def get_item(self, **request: Any) -> Event:
            return tables.get_item(**request)

    deltas = [Delta(n + 1, {f"counter_{(n * 7 + k) % 2_000}": 1 for k in range(7)}) for n in range(1_000)]
    addition = Addition("game", buckets.of_day(DAY), deltas)
    for some in (deltas[:300], deltas, deltas):
        Counters(Client(), "game_days").add(replace(addition, deltas=some), SHARD)
    assert max(sizes) <= MAX_EXPRESSION_BYTES < sum(sizes)
    (item,) = tables.items["game_days"].values()
    counted = {name: int(value["N"]) for name, value in item.items() if name.startswith("counter_")}
    assert (len(counted), sum(counted.values())) == (2_000, 7_000)


def written(event: Event) -> dict[str, set[str]]:
    """Return the counters of each kind of bucket that an event of a new player adds to."""
    found = Projection(Player(event["game_id"], event["player_id"]), lambda event, kind, name: name)
    assert found.apply(event, RawPosition(0, 1, 1, 0))
    return {kind_of(bucket): set(counts) for bucket, counts in found.buckets.items()}


def kind_of(bucket: buckets.Bucket) -> str:
    """Return the kind of a bucket: its period and its row without what clients name and clocks count."""
    row = "" if "#" in bucket.period else bucket.row
    return re.sub(r"\d+", "0", f"{bucket.period} {row}")


def test_the_widest_bucket_of_a_day_has_every_counter_that_purchases_and_examples_write() -> None:
    widest_of = {kind_of(bucket): names for bucket, names in widest()}
    codes = schema("purchase")["currency"]["enum"]
    events = [
        happen("purchase", "a", "p", transaction_id="t", store="apple", currency=code, amount_minor=7)
        | {"verified": verified}
        for code in codes
        for verified in (True, False)
    ]
    seen = Counter[str]()
    for event in events:
        for kind, names in written(event).items():
            assert names <= widest_of[kind], kind
            seen.update(names)
    assert seen["unverified_revenue_EUR"]
    assert seen["revenue_EUR"] == 2


def billed(item: Event) -> int:
    """Return the bytes of an item; a number takes one for each two digits, and one more."""
    return sum(
        len(name) + (len(value["N"]) // 2 + 1 if "N" in value else len(next(iter(value.values()))))
        for name, value in item.items()
    )


def test_every_kind_of_bucket_is_measured() -> None:
    kinds = {name for name in vars(buckets) if name.startswith("of_")}
    found = {
        bucket.period.partition("#")[2] or (bucket.period[:4], bucket.row.partition("#")[0])
        for bucket, _ in widest()
    }
    assert len(kinds) == len(found)


def test_a_player_who_fills_all_that_is_remembered_has_an_item_of_bounded_size() -> None:
    player = Player(
        "g" * 63, "p" * 64, platform="playstation", app_version="1" * 98, country="DE", level="x" * 194
    )
    for name in NUMBERS:
        setattr(player, name, HUGE)
    days = set(range(739_000, 739_000 + 4 * projection.REMEMBERED_DAYS, 4))
    for name in SETS:
        setattr(player, name, days if name.endswith("_days") else set(range(projection.REMEMBERED_MINUTES)))
    names = [f"{n:064}" for n in range(projection.MAX_CURRENCIES)]
    player.balances, player.balances_ms = dict.fromkeys(names, HUGE), dict.fromkeys(names, HUGE)
    player.paid_in = dict.fromkeys(schema("purchase")["currency"]["enum"], days)
    player.spend = dict.fromkeys(schema("purchase")["currency"]["enum"], HUGE)
    plays = range(projection.REMEMBERED_PLAYS)
    player.plays = [Play(str(UUID(int=n)), 1, HUGE, True, 2**400, 2**400) for n in plays]
    paid = range(projection.REMEMBERED_TRANSACTIONS)
    player.transactions = {bytes([n]) * 8: Payment(HUGE, 2**48, "EUR", HUGE) for n in paid}
    player.refunded = dict(player.spend)
    player.refunds = {
        bytes([n]) * 8: {bytes([n]) * 8: Refund(HUGE, 2**48, HUGE)}
        for n in range(projection.REMEMBERED_REFUNDS)
    }
    player.watermarks = [Watermark(n, 2**186, 739_000, {2**70 + k: 1 for k in range(10)}) for n in range(30)]
    watermarks.forget_old(player)
    assert billed(to_item(player)) <= MAX_PLAYER_BYTES
    for bits in (1, 2**10_000):
        player.watermarks = [Watermark(0, 2**186, 739_000, {2**70 + k: bits for k in range(20_000)})]
        watermarks.forget_old(player)
        state = to_item(player)["state"]["B"]
        assert len(state) <= MAX_STATE_BYTES < MAX_ITEM_BYTES
        assert max(player.watermarks[0].applied) == 2**70 + 19_999


def cheat() -> tuple[Tables, list[Event]]:
    """Return tables with two purchases of a player that were taken back, and what makes most of them.

    The first has 48 refunds on as many days. The second has all refunds that are remembered, and is then
    reported from before them. So each of them moves.
    """
    tables = Tables()
    store, players = (
        PlayerStore(tables, "players", "game_days"),
        CorrectedPlayers(tables, "players", "game_days"),
    )

    def sold(number: int) -> Event:
        return {"store": "apple", "transaction_id": f"t-{number}"}

    def bought(number: int, day: int) -> Event:
        at = NOON + timedelta(days=day)
        return happen("purchase", "a", "p", at=at, currency="EUR", amount_minor=HUGE, **sold(number))

    def back(number: int, day: int) -> Event:
        at = NOON + timedelta(days=day)
        return happen("refund", "a", "p", at=at, refund_id=f"r-{day}", amount_minor=1, **sold(number))

    feed(store, [bought(1, 0), bought(2, 300)])
    for number in (1, 2):
        projection = Projection(player := players.read("a", "p"), store.names.name_of)
        projection.void(*sold(number).values())
        assert players.write(player, counted(projection))
    refunds = [back(1, day) for day in range(48)]
    refunds += [back(2, day) for day in range(100, 100 + REMEMBERED_REFUNDS)]
    return tables, [*refunds, bought(2, 50), *(back(1, day) for day in range(60, 160))]


def test_a_player_with_corrections_needs_no_transaction_that_is_too_large() -> None:
    """The tables refuse more than 100 writes in a transaction, as DynamoDB does."""
    tables, events = cheat()
    limited = Limited(tables)
    assert feed(PlayerStore(limited, "players", "game_days"), events).lost == []
    assert limited.kinds["transact_write_items"] <= 1 + len(events) / MAX_BUCKETS
    money = [
        name for name in day_counters(tables) if not name[2].startswith(("events", "active", "new", "play"))
    ]
    assert money == []
    (item,) = tables.items["players"].values()
    assert billed(item) <= 2 * MAX_PLAYER_BYTES


def test_too_many_corrections_at_once_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("player_state.corrections.MAX_BUCKETS", 1000)
    tables, events = cheat()
    with pytest.raises(AssertionError):
        feed(PlayerStore(tables, "players", "game_days"), events)


def loyal(plays: int = projection.REMEMBERED_PLAYS) -> Player:
    """Return a player of 110 days: two sessions a day, a purchase a week, positions as Kinesis gives them."""
    player = Player("a-game-with-a-name", str(UUID(int=1)))
    sequence = 496 * 10**53
    for day in range(110):
        for part in range(2):
            sequence += 2**66
            for index in range(12):
                at = NOON + timedelta(days=day, hours=3 * part, seconds=8 * index)
                kind = "purchase" if index == 11 and not day % 7 else "performance"
                bought = {
                    "store": "apple",
                    "transaction_id": f"{day}",
                    "currency": "EUR",
                    "amount_minor": 499,
                }
                event = happen(kind, player.game_id, player.player_id, at=at, **bought)
                event |= {"session_id": str(UUID(int=2 * day + part)), "received_at": timestamp(at)}
                made = projection.Projection(player, lambda event, kind, name: name)
                assert made.apply(event, RawPosition(1, sequence, sequence, index))
                watermarks.forget_old(player)
    assert (len(player.plays), len(player.active_days)) == (plays, projection.REMEMBERED_DAYS)
    return player


def test_a_loyal_player_is_one_write_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert billed(to_item(loyal())) <= 1024
    monkeypatch.setattr(projection, "REMEMBERED_PLAYS", 48)
    assert billed(to_item(loyal(48))) > 1024, "this test can fail"


def happen(
    kind: str, game: str, player: str, late: bool = False, at: datetime = NOON, **payload: Any
) -> Event:
    minute = (at - NOON) / timedelta(minutes=1)
    event = player_events.happen(kind, minute, "one session of all", late, **payload)
    return event | {"game_id": game, "player_id": player, "received_at": timestamp(NOON)}


def test_a_hundred_measurements_of_one_player_harm_nobody() -> None:
    """They once made an expression of over 4 KB, which failed for ever with the players of another game."""
    tables = Limited()
    store = PlayerStore(tables, "players", "game_days")
    poison = [
        happen(
            "performance",
            "a",
            "p-1",
            fps=1 + n * 9.9,
            frame_time_ms=1.06**n,
            latency_ms=1.07**n,
            load_time_ms=1.1**n,
        )
        for n in range(100)
    ]
    others = [happen("session_start", "b", f"p-{n}") for n in range(60)]
    assert feed(store, [*poison, *others]) == (160, 0, [])


@dataclass(slots=True)
class Limited:
    """Tables that refuse what DynamoDB refuses, and tell after how many calls a player was written last."""

    tables: Tables = field(default_factory=Tables)
    calls: int = 0
    written: dict[str, int] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def exceptions(self) -> Any:
        return self.tables.exceptions

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.calls += 1
            self.kinds[name] += 1
            assert len(request.get("UpdateExpression", "")) <= MAX_EXPRESSION_BYTES
            if name == "put_item":
                item = request["Item"]
                self.written[item.get("player", item.get("player_id"))["S"]] = self.calls
            return getattr(self.tables, name)(**request)

        return call


FLOOD, BATCH = 5_000, 2_000
# The key of a game, as registering it makes one.
KEY = bytes(range(32))
WORST: dict[str, Callable[[int], Event]] = {
    "versions": lambda n: happen("session_start", "a", f"p-{n}") | {"app_version": f"{n}.0.0"},
    "levels": lambda n: happen("progression", "a", f"p-{n}", status="complete", level_1=f"l-{n}"),
    "flows": lambda n: happen(
        "economy", "a", f"p-{n}", flow="source", currency=f"c-{n}", reason=f"r-{n}", amount=1, balance_after=1
    ),
    "ads": lambda n: happen(
        "ad_impression", "a", f"p-{n}", network=f"n-{n}", placement="p", format="banner", currency="EUR"
    ),
    "designs": lambda n: happen("design", "a", f"p-{n}", name=f"d-{n}", value=n),
    "devices": lambda n: happen("performance", "a", f"p-{n}", fps=n % 999, latency_ms=n, load_time_ms=n)
    | {"app_version": f"{n}.0.0"},
    "minutes": lambda n: happen("session_heartbeat", "a", f"p-{n}", at=NOON - timedelta(minutes=n % 60)),
    "days": lambda n: happen("session_heartbeat", "a", f"p-{n}", late=True, at=NOON - timedelta(days=n % 31)),
    "scores": lambda n: happen("score_submitted", "a", f"p-{n}", leaderboard="score", score=n),
    "boards": lambda n: happen("score_submitted", "a", f"p-{n}", leaderboard=f"b-{n}", score=n),
}  # fmt: skip
# The same names on 31 days, and on the days that take new ones.
WORST |= {
    f"{name} of {days} days": lambda n, flood=WORST[name], days=days: moved(flood(n), n % days)
    for name, days in (
        ("versions", 31),
        ("flows", 31),
        ("ads", 31),
        ("designs", 31),
        ("designs", 3),
        ("devices", 3),
    )
}


KINDS = ("versions", "levels", "flows", "ads", "designs", "devices")
WORST["all kinds of 31 days"] = lambda n: moved(WORST[KINDS[n % 6]](n), n // 6 % 31)


def moved(event: Event, days: int) -> Event:
    """Return the event as it arrives days later than it happens."""
    at = datetime.fromisoformat(event["corrected_time"]) - timedelta(days=days)
    time = timestamp(at)
    return event | {"event_time": time, "corrected_time": time, "event_date": time[:10], "late": days > 0}


def waits(flood: Callable[[int], Event]) -> int:
    """Return how many calls of player_state come before the player of another game is written.

    The event of that player is behind the flood's. Calls are made one at a time.
    """
    tables = Limited()
    store = PlayerStore(tables, "players", "game_days")
    stream = [*(flood(n) for n in range(FLOOD)), happen("session_start", "b", "p-1")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handler, "store", lambda: store)
        for start in range(0, len(stream), BATCH):
            batch = records(*map(encode, stream[start : start + BATCH]), first=start + 1)
            assert handler.lambda_handler({"Records": batch}, None) == {"batchItemFailures": []}
    return tables.written["b#p-1"]


@cache
def waits_for_plain_ones() -> int:
    return waits(lambda n: happen("session_start", "a", f"p-{n}"))


@pytest.mark.parametrize("worst", WORST)
def test_the_worst_events_of_a_game_delay_another_at_most_twice_as_long_as_plain_ones(worst: str) -> None:
    assert waits(WORST[worst]) <= 2 * waits_for_plain_ones()


def batch_of(key: str, at_once: int) -> int:
    """Return which of the batches of a shard Lambda puts a partition key into: any hash would do."""
    return zlib.crc32(key.encode()) % at_once


def waits_of_a_score(boards: int, at_once: int, name: str, chosen: bool = False, key: bytes = KEY) -> int:
    """Return how many calls come before a score of another game stands on all boards that it feeds.

    A score feeds its default board and so many defined ones. Lambda divides a shard's records by partition
    key, which the processor makes of the player, and runs so many batches at once. The other game's score
    comes after all of the flood that falls to the same batch. With `chosen`, the client takes ids whose
    partition keys would all fall to the first batch, as far as it can compute them. It does not know the
    game's key.
    """
    tables, worst = Tables(), 0
    ids = (f"p-{n}" for n in itertools.count())
    taken = (one for one in ids if not chosen or not batch_of(order_key(b"", "flood", one), at_once))
    flood = list(itertools.islice(taken, FLOOD))
    for number in range(at_once):
        limited = Limited(tables)
        writer = leaderboards_of(limited)
        writer._defined = {game: (math.inf, fed(game, boards)) for game in ("flood", "other")}
        mine = [n for n, one in enumerate(flood) if batch_of(order_key(key, "flood", one), at_once) == number]
        for start in range(0, len(mine), BATCH):
            batch = [
                WORST[name](n) | {"game_id": "flood", "player_id": flood[n]}
                for n in mine[start : start + BATCH]
            ]
            assert writer.submit(batch) == []
        player = f"other-{number}"
        assert writer.submit([happen("score_submitted", "other", player, leaderboard="score", score=1)]) == []
        worst = max(worst, limited.written[player])
    return worst


def fed(game: str, number: int) -> list[Board]:
    resets = ("daily", "weekly", "never", "daily")[:number]
    return [
        Board(game_id=game, board_id=f"b-{n}", title="B", source="score", reset=reset)
        for n, reset in enumerate(resets)
    ]


@pytest.fixture
def one_call_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leaderboards.entries.CONNECTIONS", 2)


@pytest.mark.usefixtures("one_call_at_a_time")
@pytest.mark.parametrize("chosen", [False, True])
@pytest.mark.parametrize(
    ("name", "boards"), [("scores", 0), ("scores", MAX_BOARDS_OF_A_SCORE), ("boards", 0)]
)
def test_scores_delay_those_of_another_game_at_most_twice_as_long_as_plain_events(
    name: str, boards: int, chosen: bool
) -> None:
    assert waits_of_a_score(boards, batches_at_once(), name, chosen) <= 2 * waits_for_plain_ones()


@pytest.mark.usefixtures("one_call_at_a_time")
def test_ids_that_a_client_can_compute_the_batch_of_would_be_found() -> None:
    waits = waits_of_a_score(MAX_BOARDS_OF_A_SCORE, batches_at_once(), "scores", chosen=True, key=b"")
    assert waits > 5 * waits_for_plain_ones()


def batches_at_once() -> int:
    module = (REPOSITORY / "infrastructure" / "modules" / "leaderboards" / "main.tf").read_text()
    return int(re.findall(r"batches_at_once *= (\d+)", module)[0])


@pytest.mark.usefixtures("one_call_at_a_time")
def test_too_few_batches_at_once_would_be_found() -> None:
    assert waits_of_a_score(MAX_BOARDS_OF_A_SCORE, 2, "scores") > 2 * waits_for_plain_ones()


def test_names_without_a_limit_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: 5,000 versions and devices more than double the calls."""
    monkeypatch.setattr("telemetry.client_names.Names.name_of", lambda self, event, kind, name: name)
    plain = waits(lambda n: happen("session_start", "a", f"p-{n}"))
    assert waits(WORST["devices"]) > 2 * plain


def test_in_a_batch_a_small_game_does_not_wait_for_a_large_one() -> None:
    tables = Limited()
    batch = [happen("session_start", "a", f"p-{n}") for n in range(1500)] + [
        happen("session_start", "b", "p-1")
    ]
    feed(PlayerStore(tables, "players", "game_days"), batch)
    first_of_a = min(calls for player, calls in tables.written.items() if player.startswith("a#"))
    assert tables.written["b#p-1"] < first_of_a


def test_names_are_limited_by_game_and_day_and_the_first_ones_stay() -> None:
    tables = Tables()
    limits = NameLimits(levels=3)
    seen: dict[str, set[str]] = {}
    for shard in range(4):
        store = PlayerStore(tables, "players", "game_days", limits)
        events = [
            happen(
                "progression",
                game,
                "p-1",
                at=NOON + timedelta(days=day),
                status="start",
                level_1=f"l-{n}-{shard}",
            )
            for game in "ab"
            for day in range(2)
            for n in range(2)
        ]
        applied = feed(store, events, f"shardId-{shard:012}")
        assert applied.capped == (0, 4, 8, 8)[shard]
    for row in tables.rows("game_days"):
        if row["game_day"].endswith("#levels"):
            seen.setdefault(row["game_day"], set()).add(row["shard"].partition("#")[0])
    assert set(map(len, seen.values())) == {4}
    assert all("*" in names for names in seen.values())
    assert len(seen) == 4


def test_a_late_event_brings_no_new_name_to_a_day_that_has_some() -> None:
    tables = Tables()
    known = [happen("progression", "a", "p", status="start", level_1=name) for name in ("known", *"abcd")]
    on_time = [moved(event, 3) | {"received_at": timestamp(NOON - timedelta(days=3))} for event in known]
    late = [
        moved(happen("progression", "a", f"p-{name}", status="start", level_1=name), 3)
        for name in ("known", "new")
    ]
    feed(PlayerStore(tables, "players", "game_days"), on_time)
    for _ in range(2):
        store = PlayerStore(tables, "players", "game_days")
        assert feed(store, late) == (2, 0, []), "the limits do not help, so the alarm does not count it"
    counted = {
        row["shard"].partition("#")[0]: row["start"]
        for row in tables.rows("game_days")
        if row["game_day"].endswith("#levels")
    }
    assert counted == {"known": 3, "*": 2} | dict.fromkeys("abcd", 1)


def test_a_batch_that_comes_again_reads_and_writes_no_name() -> None:
    tables = Limited()
    store = PlayerStore(tables, "players", "game_days")
    event = happen("progression", "a", "p-1", status="start", level_1="l")
    feed(store, [event])
    before = tables.kinds["get_item"]
    feed(store, [happen("progression", "a", "p-1", status="start", level_1="l")])
    assert tables.kinds["get_item"] == before
