"""Leaderboards: what they show equals a brute-force model, whatever is repeated, late, lost or at once."""

import base64
import bisect
import json
import random
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from threading import Event as Pause
from threading import Lock
from typing import Any
from uuid import UUID, uuid4

import boto3
import orjson
import pytest
from botocore.exceptions import ClientError
from enriched_stream import leaderboards_of
from fake_aws import encode, records
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leaderboards import entries, handler
from leaderboards.entries import REMEMBERED_SCORES, Leaderboards
from telemetry import leaderboard_reader as reads
from telemetry.boards import Board, Operator, Order, Period, Reset, Standing, fed_by
from telemetry.client_names import NameLimits
from telemetry.enrichment import timestamp
from telemetry.leaderboard_reader import FIRST, LeaderboardReader
from tools import CommandError, corrections
from tools import boards as boards_tool
from tools import games as games_tool
from tools.corrections import Removal

Event = dict[str, Any]

GAME = "skyforge"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOON.date()
LIMIT = 2**53 - 1
ERROR = ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, "PutItem")
POOL = ThreadPoolExecutor(8)


def score(points: float, minutes: float = 0, player_id: str = "a", board: str = "global") -> Event:
    return {
        "event_id": str(uuid4()),
        "event_type": "score_submitted",
        "game_id": GAME,
        "player_id": player_id,
        "corrected_time": timestamp(NOON + timedelta(minutes=minutes)),
        "received_at": timestamp(NOON + timedelta(minutes=minutes)),
        "payload": {"leaderboard": board, "score": points},
    }


def board(board_id: str = "global", **fields: Any) -> Board:
    return Board(**{"game_id": GAME, "board_id": board_id, "title": board_id, "source": "global"} | fields)


@dataclass(slots=True)
class Client:
    """moto, one call at a time as it is not safe among threads; calls fail before or after their effect."""

    dice: random.Random = field(default_factory=lambda: random.Random(0))
    share: float = 0
    pause_seconds: float = 0
    calls: Counter[str] = field(default_factory=Counter)
    refuses: Callable[[str, Event], bool] = lambda name, request: False
    _client: Any = field(default_factory=lambda: boto3.client("dynamodb"))
    _lock: Any = field(default_factory=Lock)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return found if name == "exceptions" else lambda **request: self._call(name, found, request)

    def _call(self, name: str, call: Callable[..., Any], request: Event) -> Any:
        Pause().wait(self.pause_seconds)
        with self._lock:
            self.calls[name] += 1
            if self.refuses(name, request) or self.dice.random() < self.share / 2:
                raise ERROR
            answer = call(**request)
            if self.dice.random() < self.share / 2:
                raise ERROR
            return answer


@pytest.fixture
def tables(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(entries.time, "sleep", lambda seconds: None)
    return dynamodb


@pytest.fixture
def client(tables: Any) -> Client:
    return Client()


@pytest.fixture
def writer(client: Client) -> Leaderboards:
    return leaderboards_of(client)


def define(tables: Any, *boards: Board) -> None:
    for one in boards:
        tables.Table("boards").put_item(Item=one.to_item())


def read(client: Any, of: Board, day: date = TODAY) -> LeaderboardReader:
    period = of.period(day)
    assert period
    return LeaderboardReader(client, "leaderboards", of, period, POOL)


def shown(client: Any, of: Board | None = None, day: date = TODAY) -> list[tuple[str, int, str]]:
    of = of or Board.default(GAME, "global")
    found = read(client, of, day).after(FIRST, 100)
    return [(one.player_id, one.score, one.achieved_at) for one in found]


def test_lower_and_repeated_scores_change_nothing_and_write_nothing(
    writer: Leaderboards, client: Client
) -> None:
    best = score(10, minutes=5)
    for batch in ([best], [best], [score(9)], [score(-3)], [score(10, minutes=6)], [best, score(4)], []):
        assert writer.submit(batch) == []
        assert shown(client) == [("a", 10, best["corrected_time"])]
    assert client.calls["put_item"] == 1
    writer.submit([better := score(11, minutes=1)])
    assert shown(client) == [("a", 11, better["corrected_time"])]


def test_an_equal_score_that_was_earlier_but_comes_late_counts(writer: Leaderboards, client: Client) -> None:
    writer.submit([score(10, minutes=5)])
    writer.submit([earlier := score(10, minutes=4)])
    assert shown(client) == [("a", 10, earlier["corrected_time"])]


def test_ties_go_to_the_earlier_then_to_the_lower_id(writer: Leaderboards, client: Client) -> None:
    writer.submit([score(5, 1, "c"), score(5, 1, "a"), score(5, 0, "d"), score(5, 1, "b")])
    assert [entry[0] for entry in shown(client)] == ["d", "a", "b", "c"]


def test_the_latest_score_is_set_whatever_the_order_of_arrival(tables: Any, client: Client) -> None:
    last = board(operator=Operator.SET)
    define(tables, last)
    scores = [score(9, 1), score(2, 5), score(7, 3), score(4, 5)]
    winner = max(scores, key=lambda event: (event["corrected_time"], event["event_id"]))
    for order in permutations(scores):
        tables.Table("leaderboards").delete_item(Key=key(last))
        assert leaderboards_of(client).submit(order[:2]) == []
        assert leaderboards_of(client).submit(order[2:]) == []
        assert shown(client, last) == [("a", winner["payload"]["score"], winner["corrected_time"])]


def test_names_without_a_definition_make_so_many_boards_and_no_more(tables: Any, client: Client) -> None:
    """The first names stay, on whatever day and in whatever process their scores come."""
    define(tables, board("defined", source="fourth", created_on=TODAY))
    limited = lambda: leaderboards_of(client, NameLimits(boards=2))  # noqa: E731
    writer = limited()
    assert writer.submit([score(1, board="first"), score(2, board="second"), score(3, board="third")]) == []
    assert writer.capped == 1
    writer = limited()
    late = -3 * 24 * 60
    again = [score(4, late, board="third"), score(5, board="first"), score(6, board="fourth")]
    assert writer.submit([*again, {**score(7, board="third"), "game_id": "other-game"}]) == []
    # The score of the fourth name has the defined board, and no board of its own name.
    assert writer.capped == 2
    names = {item["board"].partition("#best")[0] for item in tables.Table("leaderboards").scan()["Items"]}
    assert names == {f"{GAME}#{name}" for name in ("first", "second", "defined")} | {"other-game#third"}
    assert shown(client, Board.default(GAME, "first"))[0][1] == 5


def test_a_score_waits_where_the_names_of_boards_cannot_be_read(tables: Any, client: Client) -> None:
    tables.Table("game_days").delete()
    assert leaderboards_of(client).submit([one := score(1)]) == [one]


def key(of: Board, player_id: str = "a") -> dict[str, str]:
    period = of.period(TODAY)
    assert period
    return {"board": of.partition(period, player_id), "player_id": player_id}


def test_one_score_feeds_many_boards_and_a_late_one_its_own_period(tables: Any, client: Client) -> None:
    daily, weekly = board("daily", reset=Reset.DAILY), board("weekly", reset=Reset.WEEKLY)
    lost = board("lost", operator=Operator.DECREMENT, order=Order.ASCENDING)
    define(tables, daily, weekly, lost)
    yesterday = -24 * 60
    batch = [score(3, player_id="b"), score(8, yesterday, "b"), score(4, yesterday, "a")]
    assert leaderboards_of(client).submit(batch) == []

    def points(of: Board, day: date = TODAY) -> list[tuple[str, int]]:
        return [entry[:2] for entry in shown(client, of, day)]

    assert points(daily) == [("b", 3)]
    assert points(daily, TODAY - timedelta(days=1)) == [("b", 8), ("a", 4)]
    assert points(weekly) == points(Board.default(GAME, "global")) == [("b", 8), ("a", 4)]
    assert points(lost) == [("b", -11), ("a", -4)]
    expiry = {
        item["board"].split("#")[1]: item.get("expires_at")
        for item in tables.Table("leaderboards").scan()["Items"]
        if item["player_id"] == "a"
    }
    assert expiry["global"] is expiry["lost"] is None
    kept = datetime(2026, 3, 10, tzinfo=UTC) + timedelta(days=400)
    assert expiry["daily"] == kept.timestamp()
    assert expiry["weekly"] == (kept + timedelta(days=6)).timestamp()


def test_a_score_outside_all_seasons_is_left_out(tables: Any, writer: Leaderboards, client: Client) -> None:
    spring = board(reset=Reset.SEASON, season_dates=(date(2026, 3, 1), date(2026, 3, 11)))
    define(tables, spring)
    assert writer.submit([score(3), score(9, minutes=24 * 60), score(5, minutes=-20 * 24 * 60)]) == []
    assert [entry[:2] for entry in shown(client, spring)] == [("a", 3)]


def test_other_rules_begin_anew_and_the_former_ones_go_on(
    tables: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "CACHE_SECONDS", -1)
    writer = leaderboards_of(client)
    writer.submit([score(7)])
    total = board(operator=Operator.INCREMENT)
    define(tables, total)
    writer.submit([score(5), score(1, 1)])
    assert [entry[:2] for entry in shown(client, total)] == [("a", 6)]
    tables.Table("boards").delete_item(Key={"game_id": GAME, "board_id": "global"})
    writer.submit([score(8)])
    assert [entry[:2] for entry in shown(client)] == [("a", 8)]


def test_a_definition_that_is_not_valid_stops_nothing(
    tables: Any, writer: Leaderboards, client: Client
) -> None:
    define(tables, board("daily", reset=Reset.DAILY))
    tables.Table("boards").put_item(Item={"game_id": GAME, "board_id": "odd", "operator": "median"})
    assert writer.submit([score(5)]) == []
    assert [entry[0] for entry in shown(client)] == ["a"]


def test_what_an_entry_remembers_is_bounded_by_the_batch_or_by_256(
    tables: Any, writer: Leaderboards, client: Client
) -> None:
    total = board(operator=Operator.INCREMENT)
    define(tables, total)
    large, small = [score(1) for _ in range(REMEMBERED_SCORES + 50)], score(1)
    for batch in (large, large, large[:70], [small], large[100:]):
        assert writer.submit(batch) == []
    assert shown(client, total)[0][1] == len(large) + 1
    (item,) = tables.Table("leaderboards").scan()["Items"]
    assert len(bytes(item["applied"])) == 8 * REMEMBERED_SCORES


def test_only_the_scores_that_failed_are_handed_back(writer: Leaderboards, client: Client) -> None:
    lost = [score(3, player_id="b"), score(4, player_id="b")]
    batch = [score(1), *lost, score(5, player_id="c")]
    client.refuses = lambda name, request: "Item" in request and request["Item"]["player_id"]["S"] == "b"
    assert writer.submit(batch) == lost
    assert [entry[0] for entry in shown(client)] == ["c", "a"]
    client.refuses = lambda name, request: False
    assert writer.submit(batch) == []
    assert [entry[:2] for entry in shown(client)] == [("c", 5), ("b", 4), ("a", 1)]


@pytest.mark.parametrize("call", ["query", "batch_get_item"])
def test_scores_are_handed_back_where_nothing_can_be_read(
    writer: Leaderboards, client: Client, call: str
) -> None:
    batch = [score(1), score(2, player_id="b")]
    client.refuses = lambda name, request: name == call
    assert writer.submit([*batch, score(1) | {"event_type": "design"}]) == batch


def test_an_entry_that_others_change_all_the_time_is_handed_back(
    tables: Any, writer: Leaderboards, client: Client
) -> None:
    define(tables, board(operator=Operator.INCREMENT))
    rival = leaderboards_of(boto3.client("dynamodb"))
    rivals = iter(range(1000))

    def outrun(name: str, request: Event) -> bool:
        if name == "put_item":
            rival.submit([score(next(rivals))])
        return False

    client.refuses = outrun
    batch = [score(1)]
    assert writer.submit(batch) == batch
    assert client.calls["put_item"] == entries.ATTEMPTS


def test_the_handler_takes_scores_and_names_the_first_that_is_not_on_its_boards(
    tables: Any, client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It gets scores only, because Lambda leaves others out; if it gets others, it does too."""
    writer = leaderboards_of(client, NameLimits(boards=1))
    monkeypatch.setattr(handler, "boards", lambda: writer)
    batch = [
        score(1),
        score(9, player_id="c") | {"event_type": "session_start"},
        score(3, player_id="b"),
        score(4, player_id="b"),
        score(2, board="second"),
    ]
    client.refuses = lambda name, request: "Item" in request and request["Item"]["player_id"]["S"] == "b"
    asked = {"Records": records(*map(encode, batch), first=7)}
    assert handler.lambda_handler(asked, None) == {"batchItemFailures": [{"itemIdentifier": "9"}]}
    client.refuses = lambda name, request: False
    asked = {"Records": asked["Records"][2:]}
    assert handler.lambda_handler(asked, None) == {"batchItemFailures": []}
    assert [entry[:2] for entry in shown(client)] == [("b", 4), ("a", 1)]
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "EventsCapped" in line]
    assert [one["EventsCapped"] for one in told] == [[1.0]] * 2


@pytest.mark.parametrize("seed", range(3))
def test_batches_of_a_shard_at_once_crash_and_come_again_and_a_sum_is_exact(
    tables: Any, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Lambda divides a shard by player, and each part goes on from its own failures, or begins again."""
    total = board(operator=Operator.INCREMENT)
    define(tables, total)
    dice = random.Random(seed)
    events = [score(dice.randint(-3, 9), n, f"p-{dice.randint(0, 9)}") for n in range(120)]
    parts: list[list[Event]] = [[], [], [], []]
    for event in events:
        parts[zlib.crc32(event["player_id"].encode()) % 4].append(event)

    def read(part: list[Event], client: Client) -> None:
        left, crashes = records(*map(encode, part)), 8
        while left:
            # A new environment each time, as after a crash: nothing is known from the batch before.
            writer, batch = leaderboards_of(client), left[: dice.randint(1, 20)]
            found = [orjson.loads(base64.b64decode(one["kinesis"]["data"])) for one in batch]
            lost = writer.submit(found)
            if crashes and dice.random() < 0.4:
                crashes -= 1
                continue
            left = left[found.index(lost[0]) if lost else len(batch) :]

    unlucky = Client(dice, share=0.2, pause_seconds=0.0005)
    with ThreadPoolExecutor(4) as threads:
        for work in [threads.submit(read, part, unlucky) for part in parts]:
            work.result()
    sums: Counter[str] = Counter()
    for event in events:
        sums[event["player_id"]] += event["payload"]["score"]
    unlucky.share = 0
    assert {player: points for player, points, _ in shown(unlucky, total)} == sums


def test_writers_at_once_lose_and_double_nothing(tables: Any) -> None:
    total = board(operator=Operator.INCREMENT)
    define(tables, total)
    client = Client(pause_seconds=0.001)
    events = [score(1, minute) for minute in range(60)]
    parts = [[event for n, event in enumerate(events) if n % 4 in (part, part + 1)] for part in range(4)]
    with ThreadPoolExecutor(4) as threads:
        for work in [
            threads.submit(deliver, leaderboards_of(client), part, random.Random(seed))
            for seed, part in enumerate(parts)
        ]:
            work.result()
    assert shown(client, total) == [("a", 60, events[-1]["corrected_time"])]
    (item,) = tables.Table("leaderboards").scan()["Items"]
    assert client.calls["put_item"] > item["version"], "no writer came in between another's read and write"


# The model: every distinct event of a board's period, ranked by brute force.

PLAYERS = [f"p{n}" for n in range(8)]
SEASONS = (date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 11))
RESETS = st.sampled_from(
    [
        {"reset": Reset.NEVER},
        {"reset": Reset.DAILY},
        {"reset": Reset.WEEKLY},
        {"reset": Reset.SEASON, "season_dates": SEASONS},
        {"reset": Reset.SEASON, "season_dates": SEASONS[:1], "season_days": 4},
    ]
)


@st.composite
def definitions(draw: st.DrawFn) -> list[Board]:
    return [
        board(
            board_id,
            source=draw(st.sampled_from(["global", "other"])),
            operator=draw(st.sampled_from(Operator)),
            order=draw(st.sampled_from(Order)),
            exact_rank_limit=draw(st.sampled_from([1, 3, 10_000])),
            shards=draw(st.sampled_from([1, 2, 5])),
            **draw(RESETS),
        )
        for board_id in draw(st.sets(st.sampled_from(["global", "x", "y"]), max_size=3))
    ]


EVENTS = st.lists(
    st.builds(
        lambda number, points, minutes, player_id, name: (
            score(points, minutes, player_id, name) | {"event_id": str(UUID(int=number))}
        ),
        st.integers(0, 2**128 - 1),
        st.integers(-2, 3) | st.sampled_from([LIMIT, -LIMIT, 2.0]),
        st.integers(-3, 2).map(lambda n: n * 800) | st.integers(-4000, 1000),
        st.sampled_from(PLAYERS),
        st.sampled_from(["global", "global", "other"]),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda event: event["event_id"],
)


def model(of: Board, events: list[Event]) -> dict[Period, list[Standing]]:
    """Rank each period of a board from all of its events at once."""
    by_entry: dict[tuple[Period, str], list[Event]] = defaultdict(list)
    for event in events:
        period = of.period(date.fromisoformat(event["corrected_time"][:10]))
        if period:
            by_entry[period, event["player_id"]].append(event)
    sign = -1 if of.order is Order.DESCENDING else 1

    def points(event: Event) -> int:
        return int(event["payload"]["score"])

    def entry(scores: list[Event]) -> tuple[int, str]:
        latest = max(scores, key=lambda event: (event["corrected_time"], event["event_id"]))
        match of.operator:
            case Operator.SET:
                return points(latest), latest["corrected_time"]
            case Operator.BEST:
                best = min(scores, key=lambda event: (sign * points(event), event["corrected_time"]))
                return points(best), best["corrected_time"]
        total = sum(map(points, scores))
        # Zeros change no sum; without any other score the first one counts.
        changes = [event["corrected_time"] for event in scores if points(event)]
        moment = max(changes, default=min(event["corrected_time"] for event in scores))
        return (total if of.operator is Operator.INCREMENT else -total), moment

    ranked: dict[Period, list[Standing]] = defaultdict(list)
    for (period, player_id), scores in by_entry.items():
        value, moment = entry(scores)
        ranked[period].append(Standing(player_id, value, moment, of.rank_key(value, moment, player_id)))
    for rows in ranked.values():
        rows.sort(key=lambda row: (sign * row.score, row.achieved_at, row.player_id))
    return ranked


def check(client: Any, of: Board, period: Period, expected: list[Standing], dice: random.Random) -> None:
    """Compare every read of a period with the model."""
    found = LeaderboardReader(client, "leaderboards", of, period, POOL)
    assert found.after(FIRST, 100) == expected
    size, paged, last = dice.randint(1, 4), [], FIRST
    while page := found.after(last, size):
        paged += page
        last = page[-1].rank_key
    assert paged == expected
    for place, mine in enumerate(expected, 1):
        assert found.players([mine.player_id]) == [mine]
        rank = found.rank(mine.rank_key)
        if place <= of.exact_rank_limit:
            assert rank == (place, True, 0)
        else:
            assert not rank.exact
            assert rank.rank > of.exact_rank_limit
            assert rank.error > 0
        limit = dice.randint(1, 6)
        before, window = found.around(mine, limit)
        assert window == expected[place - 1 - before :][: len(window)]
        assert window[before] == mine
        assert len(window) == min(limit, len(expected))
        assert abs(before - limit // 2) <= 1 or window[0] == expected[0] or window[-1] == expected[-1]
    friends = dice.sample(PLAYERS, 4)
    assert found.players(friends) == [row for row in expected if row.player_id in friends]


def deliver(writer: Leaderboards, events: list[Event], dice: random.Random) -> None:
    """Hand events in as Lambda does: in batches, again from the first that was lost, and some once more."""
    left = list(events)
    while left:
        batch = left[: dice.randint(1, 12)]
        lost = writer.submit(batch)
        left = left[left.index(lost[0]) if lost else len(batch) :]
        if dice.random() < 0.2:
            left = [*batch, *left]


@settings(max_examples=60, deadline=None, suppress_health_check=[*HealthCheck])
@given(
    boards=definitions(),
    events=EVENTS,
    writers=st.sampled_from([1, 3]),
    share=st.sampled_from([0, 0.2]),
    dice=st.randoms(use_true_random=False),
)
def test_boards_show_what_a_brute_force_model_does(
    tables: Any, boards: list[Board], events: list[Event], writers: int, share: float, dice: random.Random
) -> None:
    for name in ("boards", "leaderboards"):
        table = tables.Table(name)
        keys = [part["AttributeName"] for part in table.key_schema]
        for item in table.scan()["Items"]:
            table.delete_item(Key={name: item[name] for name in keys})
    define(tables, *boards)
    seeds = [dice.random() for _ in range(writers)]
    unlucky = Client(random.Random(dice.random()), share, pause_seconds=0.001 if writers > 1 else 0)

    def writer() -> Leaderboards:
        return leaderboards_of(unlucky)

    # Each writer gets a part of the events in any order, and some that another has too.
    parts = [[event for event in events if dice.random() < 0.4] for _ in seeds]
    for event in events:
        parts[dice.randrange(writers)].append(event)
    for part in parts:
        dice.shuffle(part)
    with ThreadPoolExecutor(writers) as threads:
        works = [
            threads.submit(deliver, writer(), part, random.Random(seed))
            for part, seed in zip(parts, seeds, strict=True)
        ]
        for work in works:
            work.result()
    unlucky.share = unlucky.pause_seconds = 0
    fed: dict[str, tuple[Board, list[Event]]] = {}
    for event in events:
        for of in fed_by(boards, GAME, event["payload"]["leaderboard"]):
            fed.setdefault(of.board_id, (of, []))[1].append(event)
    for of, mine in fed.values():
        for period, expected in model(of, mine).items():
            check(unlucky, of, period, expected, dice)
    written = sum(len(rows) for of, mine in fed.values() for rows in model(of, mine).values())
    assert len(tables.Table("leaderboards").scan()["Items"]) == written


@dataclass(slots=True)
class Lagging(Client):
    """Reads that are not consistent answer what stood after some earlier write, or before the first."""

    history: dict[tuple[str, str], list[Event | None]] = field(
        default_factory=lambda: defaultdict(lambda: [None])
    )

    def _call(self, name: str, call: Callable[..., Any], request: Event) -> Any:
        answer = Client._call(self, name, call, request)
        if name == "put_item":
            self.history[_place(request["Item"])].append(request["Item"])
        if name == "batch_get_item":
            ((table, asked),) = request["RequestItems"].items()
            if not asked["ConsistentRead"]:
                found = [self.dice.choice(self.history[_place(key)]) for key in asked["Keys"]]
                answer["Responses"][table] = [item for item in found if item]
        return answer


def _place(item: Event) -> tuple[str, str]:
    return item["board"]["S"], item["player_id"]["S"]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("operator", Operator)
def test_entries_that_are_read_a_moment_old_do_no_harm(tables: Any, operator: Operator, seed: int) -> None:
    of, dice = board(operator=operator), random.Random(seed)
    define(tables, of)
    events = [score(dice.randint(-3, 9), dice.randint(-300, 300), dice.choice(PLAYERS)) for _ in range(120)]
    client = Lagging(random.Random(seed))
    deliver(leaderboards_of(client), events, dice)
    assert client.calls["batch_get_item"] > 40, "some entries were read again"
    ((period, expected),) = model(of, events).items()
    check(Client(), of, period, expected, dice)


@pytest.mark.parametrize(("consistent", "kept"), [(True, {"1"}), (False, set())])
def test_a_restore_reads_what_it_deleted_consistently(tables: Any, consistent: bool, kept: set[str]) -> None:
    """An entry that is deleted and still seen takes a score for one that changes nothing."""
    of = board(operator=Operator.BEST)
    define(tables, of)
    client, table = Lagging(random.Random(1)), tables.Table("leaderboards")
    assert leaderboards_of(client).submit([score(1, 7, "ann")]) == []
    for item in table.scan()["Items"]:
        table.delete_item(Key={name: item[name] for name in ("board", "player_id")})
    for history in client.history.values():
        del history[0]
    assert leaderboards_of(client, consistent=consistent).submit([score(1, 7, "ann")]) == []
    assert {str(item["score"]) for item in table.scan()["Items"]} == kept


# Large boards, whose ranks are estimated.


@dataclass(slots=True)
class Counted:
    """Answers the counts of a board of any size; at most a thousand entries an answer, as of 1 MB."""

    partitions: dict[str, list[str]]
    read: int = 0

    def query(self, ExpressionAttributeValues: Event, Limit: int = 1000, **request: Any) -> Event:  # noqa: N803
        rows = self.partitions[ExpressionAttributeValues[":board"]["S"]]
        start = request.get("ExclusiveStartKey", 0)
        end = bisect.bisect_left(rows, ExpressionAttributeValues[":rank_key"]["S"])
        count = min(Limit, 1000, end - start)
        self.read += count
        return {"Count": count, "LastEvaluatedKey": start + count if start + count < end else None}


def large(of: Board, size: int) -> tuple[LeaderboardReader, list[str]]:
    """Return a board with a player at each score down from `size`, and the rank keys in order."""
    partitions: dict[str, list[str]] = {name: [] for name in of.partitions(Period())}
    moment, ranked = timestamp(NOON), []
    for place in range(size):
        player_id = f"p-{place}"
        ranked.append(of.rank_key(size - place, moment, player_id))
        partitions[of.partition(Period(), player_id)].append(ranked[-1])
    return LeaderboardReader(Counted(partitions), "leaderboards", of, Period(), POOL), ranked


def test_estimated_ranks_are_within_the_error_they_tell_19_times_out_of_20(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size, errors, within = 12_000, set(), []
    for number in range(60):
        found, ranked = large(board(f"b{number}", exact_rank_limit=500), size)
        for enough in (30, 300, 10**9):
            monkeypatch.setattr(reads, "SAMPLED_PLAYERS", enough)
            for place in (501, 4000, size):
                rank = found.rank(ranked[place - 1])
                assert not rank.exact
                errors.add(rank.error)
                within.append(abs(rank.rank - place) <= rank.error)
    assert sum(within) >= 0.95 * len(within)
    assert min(errors) < 0.4 * 501
    assert max(errors) < 0.4 * size


def test_ranks_up_to_the_limit_are_exact_and_those_beyond_cost_no_more_than_the_limit_and_the_sample() -> (
    None
):
    found, ranked = large(board(exact_rank_limit=10_000), 50_000)
    for place in (1, 2, 777, 9999, 10_000):
        assert found.rank(ranked[place - 1]) == (place, True, 0)
    counted = found.dynamodb
    counted.read = 0
    rank = found.rank(ranked[-1])
    assert (rank.exact, abs(rank.rank - 50_000) <= rank.error <= 2_000) == (False, True)
    assert counted.read <= 10_000 + 50_000 / 16 * 1.2


def test_players_are_spread_evenly_over_the_shards_and_a_sixteenth_over_the_samples() -> None:
    of = board(shards=16)
    counts = Counter(of.partition(Period(), f"p-{n}").rpartition("#")[2] for n in range(40_960))
    assert all(counts[str(shard)] == pytest.approx(2400, rel=0.1) for shard in range(16))
    assert counts["s1"] == pytest.approx(2400, rel=0.1)
    assert counts["s2"] == pytest.approx(150, rel=0.3)
    assert 1 <= counts["s3"] <= 25


def stored_bytes(item: Event) -> int:
    """Return what DynamoDB bills: the names, the texts and bytes, and half a byte a digit."""
    values = [(name, *value.popitem()) for name, value in item.items()]
    return sum(len(name) + (len(raw) // 2 + 2 if kind == "N" else len(raw)) for name, kind, raw in values)


@pytest.mark.parametrize(("operator", "scores"), [("best", 1), ("set", 1), ("increment", 64)])
def test_an_entry_is_one_write_unit(
    tables: Any, writer: Leaderboards, client: Client, operator: str, scores: int
) -> None:
    name = "b" * 64
    define(tables, board(name, operator=operator, reset=Reset.WEEKLY))
    writer.submit([score(LIMIT, n, player_id="p" * 36) for n in range(scores)])
    items = client.scan(TableName="leaderboards")["Items"]
    (item,) = (item for item in items if f"#{name}#" in item["board"]["S"])
    assert stored_bytes(item) <= 1024


def test_a_player_is_shown_once_though_the_index_still_has_the_former_place(
    writer: Leaderboards, client: Client
) -> None:
    of = Board.default(GAME, "global")
    writer.submit([score(9 - n, player_id=name) for n, name in enumerate("abcd")])
    moved = of.standing(of.rank_key(100, timestamp(NOON), "c"))
    before, entries = read(client, of).around(moved, 4)
    assert (before, [one.player_id for one in entries]) == (0, ["c", "a", "b", "d"])


def test_a_sum_of_nothing_keeps_the_place_among_equals(
    tables: Any, client: Client, writer: Leaderboards
) -> None:
    total = board(operator=Operator.INCREMENT)
    define(tables, total)
    writer.submit([score(5, 0, "a"), score(5, 1, "b"), score(0, 2, "a"), score(0, 3, "c")])
    assert [(player, points) for player, points, _ in shown(client, total)] == [("a", 5), ("b", 5), ("c", 0)]


@pytest.mark.parametrize("points", [(5, 0, 0), (5, -5, 0), (0, 0, 0), (3, 4, 0)])
def test_zeros_do_not_move_a_sum_whatever_the_order_of_arrival(
    tables: Any, client: Client, points: tuple[int, ...]
) -> None:
    total = board(operator=Operator.INCREMENT)
    define(tables, total)
    scores = [score(value, minute) for minute, value in enumerate(points)]
    ((_, (expected,)),) = model(total, scores).items()
    for order in permutations(scores):
        tables.Table("leaderboards").delete_item(Key=key(total))
        for one in order:
            assert leaderboards_of(client).submit([one]) == []
        assert shown(client, total) == [("a", expected.score, expected.achieved_at)]


def test_a_closed_period_takes_late_scores_for_a_stated_time_only(
    tables: Any, client: Client, writer: Leaderboards
) -> None:
    daily = board(reset=Reset.DAILY, late_score_hours=6)
    define(tables, daily)
    closes = datetime.combine(TODAY + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=6)
    in_time = score(5, player_id="a") | {"received_at": timestamp(closes - timedelta(milliseconds=1))}
    too_late = score(9, player_id="b") | {"received_at": timestamp(closes)}
    assert writer.submit([in_time, too_late]) == []
    assert [player for player, *_ in shown(client, daily)] == ["a"]
    for_ever = board(reset=Reset.NEVER, late_score_hours=0)
    assert for_ever.takes(Period(), timestamp(NOON))


def test_an_entry_that_is_removed_is_gone_with_all_that_was_scored_until_then(
    tables: Any, client: Client, writer: Leaderboards
) -> None:
    cheated, honest = score(LIMIT, 0, "a"), score(7, 0, "b")
    writer.submit([cheated, honest])
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="lake")
    games_tool.add_game(tables.Table("games"), GAME, "Skyforge")
    game = games_tool.named(tables.Table("games"), GAME)
    entries, boards_table = tables.Table("leaderboards"), tables.Table("boards")
    removal = boards_tool.removal(boards_table, entries, game, "global", "a", TODAY)
    assert (removal.score, removal.achieved_at) == (str(LIMIT), cheated["corrected_time"])
    key = corrections.keep(s3, "lake", removal)
    receipt = json.loads(s3.get_object(Bucket="lake", Key=key)["Body"].read())
    assert Removal(**receipt) == removal
    assert receipt["subject"] == game.name("a")
    assert "a" not in receipt.values()
    since = replace(removal, removed_at="2000-01-01T00:00:00.000Z")
    since.apply(entries, "a", again=True)
    assert len(shown(client)) == 2, "a removal that failed is not made again"
    with pytest.raises(CommandError, match="just scored"):
        since.apply(entries, "a")
    removal.apply(entries, "a")
    assert [player for player, *_ in shown(client)] == ["b"]
    assert read(client, Board.default(GAME, "global")).players(["a", "b"])[0].player_id == "b"
    writer.submit([cheated, score(99, 1, "a")])
    assert [player for player, *_ in shown(client)] == ["b"], "what was scored before counts no more"
    with pytest.raises(CommandError, match="has no entry"):
        boards_tool.removal(boards_table, entries, game, "global", "a", TODAY)
    again = score(3, player_id="a") | {"corrected_time": timestamp(datetime.now(UTC) + timedelta(minutes=1))}
    writer.submit([again])
    assert [(player, points) for player, points, _ in shown(client)] == [("b", 7), ("a", 3)]


def test_a_game_with_few_scores_does_not_wait_for_one_with_many(
    writer: Leaderboards, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr(entries, "CONNECTIONS", 2)  # one after the other
    monkeypatch.setattr(
        Leaderboards, "_keep", lambda self, scores, item: not written.append(scores.board.game_id)
    )
    few = score(1, player_id="b") | {"game_id": "small"}
    assert writer.submit([*(score(n, player_id=f"p-{n}") for n in range(30)), few]) == []
    assert written == ["small", *[GAME] * 30]


def test_a_board_may_take_only_what_a_server_sends(tables: Any, writer: Leaderboards, client: Client) -> None:
    ranked = board("ranked", source="ranked", verified_only=True)
    define(tables, ranked)
    cheat, fair = score(10**9, player_id="a", board="ranked"), score(7, player_id="b", board="ranked")
    assert writer.submit([cheat | {"verified": False}, fair | {"verified": True}]) == []
    assert [(player, points) for player, points, _ in shown(client, ranked)] == [("b", 7)]
