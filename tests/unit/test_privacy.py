"""What is stored about a player comes out whole, and goes everywhere; nobody else's data changes."""

import base64
import gzip
import json
import re
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from enriched_stream import feed, leaderboards_of
from hypothesis import given, settings
from hypothesis import strategies as st
from lambda_context import Context
from player_state.players import PlayerStore
from privacy.data_stores import (
    KEPT,
    Cut,
    DataStore,
    LeaderboardEntries,
    Lines,
    PrivacyError,
    Profile,
    Silver,
    Subject,
    Warehouse,
    cut_event,
    cut_failure,
    cut_reject,
)
from privacy.erasure import (
    AGAIN_FOR,
    WAITS_FOR,
    Erasure,
    Game,
    Receipts,
    Watch,
    dated,
    digest_of,
    erase,
    family,
    late_arrivals,
)
from pyiceberg.table import Table
from telemetry import catalog, lake, mentions
from telemetry.corrections import Correction
from telemetry.enrichment import timestamp
from telemetry.guidance import PLAYER_FIELDS, stored_player
from telemetry.pseudonyms import Pseudonyms, original_of
from telemetry.recent_events import RecentEvent, packed
from telemetry.rejection import Reason
from tools import CommandError, games, lake_tables, privacy
from tools.personal_data import LocalSilver, data_files
from tools.privacy import export

BUCKET, GAME = "lake", "skyforge"
ANN, BOB = Subject(GAME, "ann"), Subject(GAME, "bob")
# When the tests were collected. They may run long after that.
NOW = datetime.now(UTC)
A_DAY_LATER = -24 * 60
Event = dict[str, Any]


def event(player_id: str, number: int = 0, game_id: str = GAME, minutes_ago: float = 5) -> Event:
    """A score as the processor passes it on."""
    moment = timestamp(NOW - timedelta(minutes=minutes_ago))
    return {
        "event_id": f"00000000-0000-4000-8000-{abs(hash((player_id, number, game_id))) % 10**12:012}",
        "event_type": "score_submitted",
        "game_id": game_id,
        "player_id": player_id,
        "session_id": "00000000-0000-4000-8000-000000000001",
        "corrected_time": moment,
        "event_date": moment[:10],
        "received_at": timestamp(NOW),
        "platform": "android",
        "app_version": "1.0.0",
        "country": "DE",
        "late": False,
        "payload": {"leaderboard": "global", "score": number},
    }


def reject(original: bytes, game_id: str = GAME) -> Event:
    """A line of the quarantine."""
    try:
        kept = {"original": original.decode()}
    except UnicodeDecodeError:
        kept = {"original_base64": base64.b64encode(original).decode()}
    known = {"reject_id": f"{len(original)}", "reason": Reason.SCHEMA_VIOLATION, "game_id": game_id}
    return known | {"received_at": timestamp(NOW - timedelta(minutes=5))} | kept


class World:
    """Two games with players of the same names, stored by the platform's own writers."""

    def __init__(self) -> None:
        self.s3, self.dynamodb = boto3.client("s3"), boto3.client("dynamodb")
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.games = boto3.resource("dynamodb").Table("games")
        for game in (GAME, "other"):
            self.games.put_item(Item={"game_id": game, "status": "active", "key_hashes": []})
        self.sent = [
            event(p, n, g) for n in range(3) for p in ("ann", "bob", "annie") for g in (GAME, "other")
        ]
        feed(PlayerStore(self.dynamodb, "players", "game_days"), self.sent)
        leaderboards_of(self.dynamodb).submit(self.sent)
        self.put("bronze/2026/01/31/12/a.ndjson.gz", self.sent[:9])
        self.put("bronze/2026/01/31/13/b.ndjson.gz", self.sent[9:])
        self.put("bronze/2026/01/31/14/c.ndjson.gz", [e for e in self.sent if e["player_id"] == "bob"])

    def put(self, key: str, lines: list[Event], zipped: bool = True) -> None:
        body = "".join(json.dumps(line, default=str) + "\n" for line in lines).encode()
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(body) if zipped else body)

    def stores(self) -> list[DataStore]:
        return [
            Profile(self.dynamodb, "players"),
            LeaderboardEntries(self.dynamodb, "leaderboards"),
            Lines(self.s3, BUCKET, "bronze", cut_event, since_first_seen=True),
            Lines(self.s3, BUCKET, "rejected", cut_reject),
            Lines(self.s3, BUCKET, "errors", cut_failure),
        ]

    def bronze(self) -> list[Event]:
        return [e for key in lake.keys(self.s3, BUCKET, "bronze/") for e in lake.lines(self.s3, BUCKET, key)]

    def everything(self) -> str:
        """All bytes of all stores, every version of each object among them."""
        found = [str(self.dynamodb.scan(TableName=t)["Items"]) for t in ("players", "leaderboards")]
        for version in self.s3.list_object_versions(Bucket=BUCKET)["Versions"]:
            chosen = {"Key": version["Key"], "VersionId": version["VersionId"]}
            body = self.s3.get_object(Bucket=BUCKET, **chosen)["Body"].read()
            found.append((gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode())
        return "\n".join(found)

    def game(self, game_id: str = GAME) -> Game:
        games.privacy_key(self.games, game_id)
        return Game.of(self.games.get_item(Key={"game_id": game_id})["Item"])

    def late_arrivals(self) -> list[str]:
        moments = Receipts(self.s3, BUCKET).watched(GAME, datetime.now(UTC))
        watches = {GAME: Watch(self.game(), moments)}
        return [who.player_id for who, _ in late_arrivals(self.s3, BUCKET, watches, NOW - timedelta(days=1))]

    def of(self, subject: Subject) -> list[list[Any]]:
        return [list(store.find(subject)) for store in self.stores()]


@pytest.fixture
def world(dynamodb: Any) -> World:
    return World()


@pytest.fixture
def silver(dynamodb: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Table:
    """Silver as an Iceberg table of Glue, its files in a directory."""
    monkeypatch.setenv("LAKE_DATABASE", "lake")
    catalog = lake_tables.catalog()
    catalog.create_namespace("lake")
    columns = {"game_id": "string", "player_id": "string", "corrected_time": "timestamp"}
    for name, named in KEPT.items():
        keys = lake_tables.schema_of(dict.fromkeys(("game_id", *named), "string"))
        catalog.create_table(("lake", name), keys, (tmp_path / name).as_uri())
    columns |= {"extra": "map<string,string>", "payload": "struct<previous_player_id:string>"}
    schema = lake_tables.schema_of(columns)
    return catalog.create_table(("lake", "events"), schema, (tmp_path / "silver").as_uri())


def test_an_export_holds_what_was_sent_and_nothing_of_another_game(world: World, tmp_path: Path) -> None:
    manifest = export(world.stores(), [ANN], tmp_path / "ann.zip")
    with zipfile.ZipFile(tmp_path / "ann.zip") as archive:
        lines = {name: archive.read(name).decode().splitlines() for name in manifest["files"]}
        assert json.loads(archive.read("manifest.json")) == manifest
    mine = [e for e in world.sent if (e["game_id"], e["player_id"]) == (GAME, "ann")]
    assert [json.loads(line) for line in lines["bronze.ndjson"]] == mine
    (profile,) = map(json.loads, lines["profile.ndjson"])
    assert (profile["game_id"], profile["player_id"], profile["first_seen"]) == (
        GAME,
        "ann",
        mine[0]["corrected_time"],
    )
    (entry,) = map(json.loads, lines["leaderboards.ndjson"])
    assert entry["board"].startswith(f"{GAME}#")
    assert {name: file["records"] for name, file in manifest["files"].items()} == {
        name: len(found) for name, found in lines.items()
    }
    assert "annie" not in str(lines)
    assert "bob" not in str(lines)


def test_erasure_leaves_nothing_of_the_player_and_all_of_the_others(world: World) -> None:
    others = [Subject(game, player) for game in (GAME, "other") for player in ("ann", "bob", "annie")]
    others.remove(ANN)
    before = {other: world.of(other) for other in others}
    days = world.dynamodb.scan(TableName="game_days")["Items"]
    receipt = erase(world.stores(), dated(ANN, world.stores()), pseudonym="p")
    assert receipt["nothing_left"]
    assert {step["store"]: step["deleted"] for step in receipt["steps"]} == {
        "profile": 1, "leaderboards": 1, "bronze": 3, "rejected": 0, "errors": 0,
    }  # fmt: skip
    assert not any(world.of(ANN))
    assert {other: world.of(other) for other in others} == before
    assert world.dynamodb.scan(TableName="game_days")["Items"] == days
    assert world.everything().count('"ann"') == 3, "the other game's three lines in bronze"


def test_objects_without_the_player_are_not_touched(world: World) -> None:
    key = "bronze/2026/01/31/14/c.ndjson.gz"
    before = world.s3.head_object(Bucket=BUCKET, Key=key)["VersionId"]
    erase(world.stores(), ANN, pseudonym="p")
    assert world.s3.head_object(Bucket=BUCKET, Key=key)["VersionId"] == before


class Crash(BaseException):
    """The machine goes down: nothing can catch this."""


class Mortal:
    """A client that dies at its n-th writing call, before or after the effect."""

    def __init__(self, client: Any, left: Iterator[int], after: bool) -> None:
        self._client, self._left, self._after = client, left, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name not in ("put_object", "delete_object", "delete_item"):
            return method

        def call(**given: Any) -> Any:
            last = next(self._left, None) is None
            if last and not self._after:
                raise Crash
            answer = method(**given)
            if last:
                raise Crash
            return answer

        return call


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("writes", range(6))
def test_a_crash_at_any_write_is_made_up_by_the_next_run(world: World, writes: int, after: bool) -> None:
    left = iter(range(writes))
    s3, dynamodb = Mortal(world.s3, left, after), Mortal(world.dynamodb, left, after)
    mortal = [
        Profile(dynamodb, "players"),
        LeaderboardEntries(dynamodb, "leaderboards"),
        Lines(s3, BUCKET, "bronze", cut_event, since_first_seen=True),  # type: ignore[arg-type]
    ]
    bob = world.of(BOB)
    with pytest.raises(Crash):
        erase(mortal, dated(ANN, world.stores()), pseudonym="p")
    assert erase(world.stores(), dated(ANN, world.stores()), pseudonym="p")["nothing_left"]
    assert not any(world.of(ANN))
    assert world.of(BOB) == bob
    assert world.everything().count('"ann"') == 3
    again = erase(world.stores(), ANN, pseudonym="p")
    assert not any(step["deleted"] for step in again["steps"])


class Stubborn:
    """A store that keeps what it holds."""

    name = "stubborn"

    def find(self, subject: Subject) -> Iterator[Event]:
        yield {"player_id": subject.player_id}

    def erase(self, subject: Subject) -> int:
        return 0


def test_where_something_is_left_the_lake_still_leads_to_the_player(world: World) -> None:
    Receipts(world.s3, BUCKET).keep(
        erase([], ANN, pseudonym=world.game().name("ann")) | {"started_at": timestamp(NOW)}
    )
    assert not erase([*world.stores(), Stubborn()], ANN, pseudonym="p")["nothing_left"]
    assert "ann" not in [e["player_id"] for e in world.bronze() if e["game_id"] == GAME]
    assert world.late_arrivals() == ["ann"]
    assert erase(world.stores(), ANN, pseudonym="p")["nothing_left"]
    assert world.late_arrivals() == []


def test_a_rewrite_gives_way_to_another_one(world: World) -> None:
    """Two runs at once: the later write would bring back what the earlier took away."""
    store = Lines(world.s3, BUCKET, "bronze", cut_event)
    (version, *_) = store._versions(ANN)
    world.put(version.key, [event("bob")])
    with pytest.raises(ClientError, match="PreconditionFailed"):
        store._rewrite(version, ANN)
    assert list(lake.lines(world.s3, BUCKET, version.key)) == [event("bob")]


def test_a_torn_line_is_found_and_does_no_harm(world: World) -> None:
    torn = b'{"game_id":"skyforge","player_id":"ann","pay\n'
    world.s3.put_object(Bucket=BUCKET, Key="bronze/torn", Body=b"ann\n7\n" + torn)
    store = Lines(world.s3, BUCKET, "bronze", cut_event)
    assert [line for line in store.find(ANN) if "torn" in line] == [{"torn": torn.decode()}]
    assert store.erase(ANN) == 4
    assert list(lake.raw_lines(world.s3, BUCKET, "bronze/torn")) == [b"ann\n", b"7\n"]


def owned(cut: Cut | None) -> bool:
    """Tell a line that is all the player's."""
    return cut is not None and cut.kept is None


def test_a_line_of_any_size_is_its_players_only() -> None:
    """What the processor adds can make an event longer than a client may send."""
    extra = {"friend": "ann", "note": "ann " + "x" * 70_000}
    long = event("bob") | {"payload": {"extra": extra}}
    line = json.dumps(long).encode()
    cut = cut_event(line, ANN)
    assert cut
    assert cut.found == [
        {"event_id": long["event_id"], "received_at": long["received_at"], "mentioned_in": ["extra/friend"]}
    ]
    assert json.loads(cut.kept or b"") == long | {"payload": {"extra": extra | {"friend": ANN.mask}}}
    assert owned(cut_event(line, BOB))


def test_a_search_of_torn_bytes_takes_time_by_their_length_alone() -> None:
    """Half a megabyte of brackets or names; the square of it would take far longer."""
    for part in (
        b"[",
        b'{"a":',
        b"]",
        b'["x',
        b"a ",
        b'"',
        b"\\",
        b'"player_id":1,',
        b'player_id=1,{"a":',
        b"a:",
        b"a:%",
        b"a=b&",
        b"a: ",
    ):
        began = time.process_time()
        torn = b'{"note":"' + part * (2**19 // len(part))
        cut_reject(json.dumps(reject(torn)).encode(), ANN)
        cut_reject(json.dumps(reject(torn[9:])).encode(), Subject(GAME, LONG))
        assert time.process_time() - began < 4, part


def test_nesting_hides_no_reject_and_stops_no_search() -> None:
    deep = b"[" * 900 + b'{"player_id":"\\u0061nn"}' + b"]" * 900
    assert owned(cut_reject(json.dumps(reject(deep)).encode(), ANN))
    assert not cut_reject(json.dumps(reject(deep)).encode(), BOB)


LONG = "7d444840-9dc0-11d1-b245-5ffdce74fad2"


@pytest.mark.parametrize(
    ("original", "game_id", "belongs"),
    [
        (b'{"player_id":"ann","x":1}', GAME, True),
        (b'{"player_id":"\\u0061nn"}', GAME, True),
        (b'{"player_id":"ann","pay', GAME, True),
        (b'{"player_id":"\\u0061nn","pay', GAME, True),
        (b'{"sequence":7,"who":"ann","pay', GAME, False),
        (b'{"payload":{"extra":{"user_id":"ann"}},"sequence":7,"play', GAME, False),
        (b'{"payload":{"note":"my \\"player_id\\": 1, player_id: \'ann\'"},"sequence":7', GAME, False),
        (b'{"note":"player_id: \'ann\', user_id: \'ann\'","play', GAME, False),
        (b"{\"note\":\"player_id: 'ann', user_id: 'ann'", GAME, False),
        (b'{"payload":{"x":[1]},"player_id":"ann","play', GAME, True),
        (b'{"event":{"event_id":"x","event_data":{"user_id":"ann","spent":', GAME, True),
        (b'\xff"player_id":"ann"', GAME, True),
        (b'{"user":{"uid":"ann"}}', GAME, False),
        (b'{"event":{"event_data":{"user_id":"ann"}}}', GAME, True),
        (b'{"event_data":{"user_id":"ann","playerId":"bob"}}', GAME, True),
        (b'{"event_data":{"user_id":"bob","playerId":"ann"}}', GAME, False),
        (b'{"player_id":"annie"}', GAME, False),
        (b'{"player_id":"jo-ann"}', GAME, False),
        (b'{"player_id":"ann', GAME, False),
        (b'{"player_id":"bob","client":{"name":"ann"}}', GAME, False),
        (b'{"player_id":"bob","client":{"name":"ann"},', GAME, False),
        (b'{"note":"ann"}', GAME, False),
        (b'{"player_id":"ann\'s cat","x', GAME, False),
        (b"player_id=ann&name=Ann+Example", GAME, True),
        (b"score=7&player_id=%61nn&x=1", GAME, True),
        (b"player_id=annie&x=1", GAME, False),
        (b"player_id=ann", GAME, False),
        (b"note=player_id:ann&score=7", GAME, False),
        (b"{player_id:ann,name:'Ann'}", GAME, True),
        (b"{player_id: ann\n}", GAME, True),
        (b"{payload:{player_id:ann},x:1}", GAME, False),
        (b"game_id=skyforge&player_id=ann&x=1", "unknown", True),
        (b"game_id=elsewhere&player_id=ann&x=1", "unknown", False),
        (b"ann was here", GAME, False),
        (b'{"player_id":"ann"}', "other", False),
        (b'{"player_id":"ann","game_id":"skyforge"}', "unknown", True),
        (b'{"player_id":"ann","game_id":"skyforge",', "unknown", True),
        (b'{"player_id":"ann","game_id":"elsewhere","x":"skyforge"}', "unknown", False),
    ],
)
def test_a_reject_belongs_to_its_player_however_broken_it_is(
    original: bytes, game_id: str, belongs: bool
) -> None:
    assert owned(cut_reject(json.dumps(reject(original, game_id)).encode(), ANN)) is belongs


@pytest.mark.parametrize(
    ("player", "end", "belongs"),
    [
        ("42", "42,", True),
        ("42", "42}", True),
        ("42", "42 ,", True),
        # Cut out of 421, of 42.5 or of 42e3.
        ("42", "42", False),
        ("42", "42.", False),
        ("42", "42.5", False),
        ("42", "42.5,", False),
        ("42", "42e3,", False),
        ("42", "-42,", False),
        ("42", "421,", False),
        ("42.5", "42.5,", False),
        ("42e3", "42e3,", False),
        ("-42", "-42,", False),
        ("null", "null,", False),
        ("true", "true,", False),
    ],
)
def test_a_number_in_torn_bytes_is_an_id_only_where_it_is_whole(player: str, end: str, belongs: bool) -> None:
    for torn in (f'{{"payload":{{"score":1}},"player_id":{end}', f'{{"player_id":{end}"x'):
        if torn.endswith('"x') and not end.endswith((",", "}")):
            torn = torn.removesuffix('"x')
        line = json.dumps(reject(torn.encode())).encode()
        assert owned(cut_reject(line, Subject(GAME, player))) is belongs
        if not belongs:
            assert cut_reject(line, Subject(GAME, player)) is None, "nothing of it is this player's"


def test_a_bare_value_of_another_loses_the_id_alone() -> None:
    text = "player_id=bob&friend=ann&rank=ann&note=ann+was+here&x=1"
    cut = cut_reject(json.dumps(reject(text.encode())).encode(), ANN)
    assert cut
    assert json.loads(cut.kept or b"")["original"] == text.replace("friend=ann", f"friend={ANN.mask}")


def test_a_long_id_is_found_in_bytes_that_are_no_json() -> None:
    """Without a player field nobody owns such bytes: they stay without the id."""
    player = Subject(GAME, LONG)
    for text in (f"{LONG} was here", f'{{"player_id":"{LONG}', f"player={LONG}&x=1"):
        cut = cut_reject(json.dumps(reject(text.encode())).encode(), player)
        assert cut
        assert json.loads(cut.kept or b"")["original"] == text.replace(LONG, player.mask)
    assert not cut_reject(json.dumps(reject(f"a{LONG}".encode())).encode(), player)


@pytest.mark.parametrize("player", ["ios", "42", "skyforge", "original", "schema_violation", "score"])
def test_a_player_named_like_a_word_or_a_number_takes_no_other_players_rejects(player: str) -> None:
    """A reject of player 1042 with sequence 42, and all rejects of a platform, were once taken."""
    sent = event("1042", 42) | {"sequence": 42, "client": {"platform": "ios", "app_version": "42"}}
    sent["payload"] |= {"leaderboard": "score", "score": 42, "extra": {"os": "ios", "level": "42"}}
    whole = json.dumps(sent).encode()
    for original in (whole, whole[:-9]):
        assert cut_reject(json.dumps(reject(original)).encode(), Subject(GAME, player)) is None


def test_a_reject_of_several_players_is_kept_without_the_one() -> None:
    several = [event(LONG), event("bob")]
    cut = cut_reject(json.dumps(reject(json.dumps(several).encode())).encode(), Subject(GAME, LONG))
    assert cut
    assert cut.kept
    assert json.loads(json.loads(cut.kept)["original"]) == several[1:]
    assert cut.found[0]["events"] == several[:1], "an export holds what is the player's"


@pytest.mark.parametrize("member", ["events", "eventList"])
@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_body_that_was_refused_as_a_whole_loses_the_players_events(member: str, is_sealed: bool) -> None:
    """The id was once replaced and the rest kept: names, addresses and devices of the player."""
    pseudonyms = Pseudonyms(GAME, b"key")
    ann = {"user_id": "ann", "user_properties": {"name": "Ann Example"}, "ip": "203.0.113.7"}
    bob = {"user_id": "bob", "user_properties": {"friend": "ann"}}
    subject = Subject(GAME, "ann", pseudonyms)
    for events, is_all in (([ann, ann], True), ([ann, bob, ann], False), ([bob], False)):
        body = {"api_key": "k", member: events}
        line = sealed(pseudonyms, body) if is_sealed else reject(json.dumps(body).encode())
        cut = cut_reject(json.dumps(line).encode(), subject)
        assert cut
        assert owned(cut) is is_all
        if cut.kept:
            masked = {"user_id": "bob", "user_properties": {"friend": subject.mask}}
            kept = json.loads(original_of(json.loads(cut.kept), pseudonyms))
            assert kept == {"api_key": "k", member: [masked]}
            assert cut.found[0].get("events", []) == [event for event in events if event is ann]
            assert cut_reject(cut.kept, subject) is None


def test_an_event_with_a_list_is_no_body() -> None:
    """It is its own player's, whoever its list names."""
    raw = json.dumps({"player_id": "bob", "events": [{"player_id": "ann"}]}).encode()
    assert owned(cut_reject(json.dumps(reject(raw)).encode(), BOB))
    assert not owned(cut_reject(json.dumps(reject(raw)).encode(), ANN))


def test_the_labels_of_a_kept_reject_name_nobody() -> None:
    """A client's event_id or type may be made of an id."""
    player, labels = Subject(GAME, LONG), {"event_id": f"{LONG}:17", "schema_id": f"login_{LONG}/1-0-0"}
    cut = cut_reject(json.dumps(reject(b'{"player_id":"bob"}') | labels).encode(), player)
    assert cut
    kept = json.loads(cut.kept or b"")
    assert (kept["event_id"], kept["schema_id"]) == (f"{player.mask}:17", f"login_{player.mask}/1-0-0")
    assert cut.found[0]["mentioned_in"] == ["event_id", "schema_id"]
    assert (
        cut_reject(json.dumps(reject(b'{"player_id":"bob"}') | {"event_id": "ann:17"}).encode(), ANN) is None
    )


def test_the_client_of_anothers_event_loses_a_long_id_and_stays_valid() -> None:
    player = Subject(GAME, LONG)
    client = {
        "platform": "ios",
        "app_version": f"1.2.3-{LONG}",
        "device_model": f"pad of {LONG}",
        "sdk": LONG,
    }
    cut = cut_event(json.dumps(event("bob") | {"client": client}).encode(), player)
    assert cut
    left = json.loads(cut.kept or b"")["client"]
    assert LONG not in json.dumps(left)
    properties = catalog.newest("common/envelope", catalog.documents())["properties"]["client"]
    assert catalog.compiled(properties).is_valid(left)
    assert left["device_model"] == f"pad of {player.mask}"
    room = properties["properties"]["device_model"]["maxLength"]
    short = Subject(GAME, "player-12345")
    client["device_model"] = f"{'x' * (room - 13)} {short.player_id}"
    cut = cut_event(json.dumps(event("bob") | {"client": client}).encode(), short)
    assert cut
    left = json.loads(cut.kept or b"")["client"]
    assert left["device_model"] == client["device_model"].replace(short.player_id, "erased")


PLAYERS = st.one_of(
    st.sampled_from(["ios", "42", "7", "global", "score_submitted", "ann", "annie", "jo-ann", "android"]),
    st.from_regex(r"[A-Za-z0-9_.:-]{1,64}", fullmatch=True),
    st.uuids().map(str),
)
WORDS = st.one_of(PLAYERS, st.text(max_size=8), st.integers(0, 99), st.booleans(), st.none())
# Written by hand, so that the rule of the code is not its own judge.
NAMING = [
    "friend", "friend_id", "friends", "target_player", "target_player_id", "invited_by", "guild_leader",
    "user_id", "account_id", "opponent_1", "gift_to", "teammates", "sender_uid", "player", "userid",
    "previous_player_id",
]  # fmt: skip
UNRELATED = [
    "player_level", "target_fps", "users_online", "account_type", "guide_page", "target_platform",
    "user_rank", "accounts", "target", "fluid", "player_count", "friend_count", "owner_type", "membership",
    "uid_version", "friendly_fire", "invited", "by", "id", "item_id", "multiplayer", "x",
]  # fmt: skip
COUNTS = ["players", "friends", "members", "users", "opponents"]
FIELD = st.one_of(
    st.sampled_from(UNRELATED),
    st.from_regex(r"[a-z]{1,6}", fullmatch=True).filter(lambda name: name not in NAMING + COUNTS),
)
OWN_FIELD = "hero"


def values_about(player: str) -> st.SearchStrategy[Any]:
    """Values that are the id, hold it, or are a number of the same digits."""
    number = [int(player)] if player.isdigit() and int(player) < 2**53 else []
    return st.one_of(
        st.sampled_from([player, f"jo-{player}", f"{player}s", f"player:{player}", *number]), WORDS
    )


@st.composite
def rejects_of(draw: st.DrawFn, player: str, asked: str) -> tuple[bytes, str, bool]:
    """A reject of a player with its envelope, and whether it is whole enough to say whose it is."""
    noise = draw(st.dictionaries(FIELD, values_about(asked), max_size=4))
    envelope = draw(st.sampled_from(["native", "guidance"]))
    if envelope == "guidance":
        name = draw(st.sampled_from(["player_id", "user_id", "playerId", "userId", OWN_FIELD]))
        data = {**noise, name: player} if draw(st.booleans()) else {name: player, **noise}
        sent: Event = {"event_id": "e", "event_data": data}
        sent = {"event": sent, "application_id": GAME} if draw(st.booleans()) else sent
    else:
        name = "player_id"
        friend = {"extra": {draw(st.sampled_from(NAMING)): draw(values_about(asked)), **noise}}
        sent = {"player_id": player, "game_id": GAME, "sequence": draw(st.integers(0, 99))}
        sent = {**sent, "payload": friend} if draw(st.booleans()) else {"payload": friend, **sent}
    raw = json.dumps(sent).encode()
    field = f"{json.dumps(name)}: {json.dumps(player)}".encode()
    named = raw.rindex(field) + len(field)
    end = draw(st.one_of(st.just(len(raw)), st.integers(1, len(raw))))
    return raw[:end], envelope, end >= named


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Return what a value holds by its path."""
    if not isinstance(value, dict):
        return {path: value}
    return {at: leaf for name, part in value.items() for at, leaf in leaves(part, (*path, name)).items()}


def check_changes(before: Any, after: Any, subject: Subject, number_fields: tuple[str, ...] = ()) -> None:
    """Fail where anything but the id was changed, or changed where it is a word or a number by accident."""
    asked, old, new = subject.player_id, leaves(before), leaves(after)
    assert old.keys() == new.keys()
    changed = {path: (old[path], new[path]) for path in old if old[path] != new[path]}
    assert changed
    for path, (was, now) in changed.items():
        assert isinstance(was, str) or path[-1] in number_fields, f"the number at {path} was changed"
        assert mentions.is_long(asked) or path[-1] in (*NAMING, *COUNTS, OWN_FIELD), path
        assert asked in str(was)
        words = re.split("[^A-Za-z0-9_.:-]+", str(was))
        assert mentions.is_long(asked) or {asked, f"player:{asked}"} & {*words} or not asked.isalnum()
        assert any(mask in now for mask in (subject.mask, "erased", "x"))


OWN_FIELDS = (OWN_FIELD, *PLAYER_FIELDS)


@settings(max_examples=400, deadline=None)
@given(data=st.data(), asked=PLAYERS, owner=PLAYERS, game=st.sampled_from([GAME, "unknown", "other"]))
def test_nobody_elses_reject_is_ever_taken(data: st.DataObject, asked: str, owner: str, game: str) -> None:
    """Where the player is mentioned in another's, the id alone is replaced."""
    original, envelope, says_whose = data.draw(rejects_of(owner, asked))
    line = json.dumps(reject(original, game) | {"envelope": envelope, "message": "no number"}).encode()
    subject = Subject(GAME, asked, player_fields=OWN_FIELDS)
    cut = cut_reject(line, subject)
    if game == "other":
        assert cut is None
    elif asked == owner and game == GAME and says_whose:
        assert owned(cut)
    elif cut and not (asked == owner and says_whose):
        assert cut.kept, "another player's line was taken"
        kept = json.loads(cut.kept)
        assert kept["message"] == "no number"
        assert subject.mask in kept["original"]
        if is_json(original):
            check_changes(json.loads(original), json.loads(kept["original"]), subject, OWN_FIELDS)
    if cut and cut.kept:
        assert cut_reject(cut.kept, subject) is None, "something is left"


def is_json(raw: bytes) -> bool:
    try:
        return bool(json.loads(raw))
    except json.JSONDecodeError:
        return False


PASSING = [
    json.loads(path.read_bytes())
    for path in catalog.examples(catalog.schema_directory())
    if path.name.endswith(".pass.json")
]


@st.composite
def accepted_events(draw: st.DrawFn, owner: str, asked: str) -> Event:
    """A valid event of any type, in which the id may stand wherever the schema lets it."""
    sent = json.loads(json.dumps(draw(st.sampled_from(PASSING)))) | {"game_id": GAME, "player_id": owner}
    payload: Event = sent["payload"]
    schema = catalog.payloads(catalog.documents())[sent["event_type"], sent["schema_version"]]
    for name in draw(st.lists(st.sampled_from(sorted(schema["properties"])), max_size=3)):
        before = dict(payload)
        payload[name] = {} if name == "extra" else draw(values_about(asked))
        if not is_valid(sent):
            sent["payload"] = payload = before
    names = st.one_of(FIELD, st.sampled_from([*NAMING, *COUNTS, OWN_FIELD]))
    for name, value in draw(st.dictionaries(names, values_about(asked), max_size=4)).items():
        with_it = {**payload, "extra": {**payload.get("extra", {}), name: value}}
        if is_valid({**sent, "payload": with_it}):
            sent["payload"] = payload = with_it
    assert is_valid(sent)
    return sent


def is_valid(sent: Event) -> bool:
    return bool(catalog.validators()[sent["event_type"], sent["schema_version"]].is_valid(sent))


@settings(max_examples=600, deadline=None)
@given(data=st.data(), asked=PLAYERS, owner=PLAYERS)
def test_an_accepted_event_of_another_stays_valid_and_loses_only_the_id(
    data: st.DataObject, asked: str, owner: str
) -> None:
    """Player 42 once changed a match of 42 players into one of "erased-…" players."""
    sent = data.draw(accepted_events(owner, asked))
    line = json.dumps(sent | {"schema_id": f"{sent['event_type']}/{sent['schema_version']}"}).encode()
    subject = Subject(GAME, asked, player_fields=OWN_FIELDS)
    cut = cut_event(line, subject)
    if asked == owner:
        assert owned(cut)
        return
    kept = json.loads(cut.kept or b"{}") if cut else json.loads(line)
    if cut:
        assert cut.kept, "another player's line was taken"
        check_changes(json.loads(line), kept, subject)
        assert cut_event(cut.kept, subject) is None, "something is left"
    del kept["schema_id"]
    assert is_valid(kept)
    for path, value in leaves(kept["payload"]).items():
        if path[-1] in NAMING and isinstance(value, str):
            assert value not in (asked, f"player:{asked}") or (value.isdigit() and path[-1].endswith("s"))


@pytest.mark.parametrize("name", NAMING)
def test_a_field_that_names_a_player_loses_a_short_id(name: str) -> None:
    for text in ("bob.smith", "player:bob.smith", '["bob.smith", "zoe"]'):
        line = json.dumps(event("zoe") | {"payload": {"extra": {name: text}}}).encode()
        player = Subject(GAME, "bob.smith")
        cut = cut_event(line, player)
        assert cut
        left = json.loads(cut.kept or b"")["payload"]["extra"][name]
        assert left == text.replace("bob.smith", player.mask)


@pytest.mark.parametrize("name", UNRELATED)
def test_another_field_keeps_a_word_that_is_an_id(name: str) -> None:
    for value in ("ios", "player:ios", 42):
        line = json.dumps(event("zoe") | {"payload": {"extra": {name: value}}}).encode()
        assert not any(cut_event(line, Subject(GAME, player)) for player in ("ios", "42"))
        sent = reject(json.dumps({"payload": {name: value, "name": "zoe"}}).encode())
        assert not any(cut_reject(json.dumps(sent).encode(), Subject(GAME, p)) for p in ("ios", "42"))


@pytest.mark.parametrize(
    ("player", "message", "pointer", "left"),
    [
        (LONG, f"'{LONG}' is not of type", "/payload/players", "'?' is not of type"),
        ("ann", '"ann" is not of type "integer"', "/payload/extra/friend", '"?" is not of type "integer"'),
        ("ann", '"ann" is not one of "pvp"', "/payload/mode", None),
        ("type", '"ann" is not of type "integer"', "/payload/extra/friend", None),
        ("ann", '{"friend":"ann"} is not valid', "/payload", '{"friend":"?"} is not valid'),
    ],
)
def test_the_message_of_a_kept_reject_quotes_nobody(
    player: str, message: str, pointer: str, left: str | None
) -> None:
    subject = Subject(GAME, player)
    told = {"message": message, "pointer": pointer}
    cut = cut_reject(json.dumps(reject(b'{"player_id":"bob"}') | told).encode(), subject)
    assert (json.loads(cut.kept or b"")["message"] if cut else None) == (
        left and left.replace("?", subject.mask)
    )


def test_a_torn_reject_is_its_players_by_the_games_own_field() -> None:
    """Player "ios" once took the reject of bob, whom a field of the game's own names."""
    torn = b'{"event":{"event_id":"x","event_data":{"hero":"bob","platform":"ios","spent":'
    line = json.dumps(reject(torn) | {"envelope": "guidance"}).encode()
    assert cut_reject(line, Subject(GAME, "ios", player_fields=OWN_FIELDS)) is None
    assert owned(cut_reject(line, Subject(GAME, "bob", player_fields=OWN_FIELDS)))


def test_failed_deliveries_keep_the_lines_of_others(world: World) -> None:
    lines = [event("ann"), event("bob"), reject(b'{"player_id":"ann"}'), reject(b'{"player_id":"bob"}')]
    raw = gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    failure = {"errorCode": "S3.Error", "rawData": base64.b64encode(raw).decode()}
    cut = cut_failure(json.dumps(failure).encode(), ANN)
    assert cut
    assert len(cut.found) == 2
    kept = gzip.decompress(base64.b64decode(json.loads(cut.kept or b"")["rawData"])).splitlines()
    assert [json.loads(line) for line in kept] == [lines[1], lines[3]]


def test_an_erased_player_is_named_in_no_others_event(world: World) -> None:
    """A friend's field, a purchase's transaction: the line stays, without the id."""
    player = Subject(GAME, LONG)
    payload = {"transaction_id": f"gift/{LONG}/1", "extra": {"friend": LONG}}
    gift = event("bob", 9) | {"event_type": "purchase", "payload": payload}
    world.put("bronze/2026/01/31/15/d.ndjson.gz", [gift, event(LONG)])
    receipt = erase(world.stores(), player, pseudonym="p")
    assert receipt["nothing_left"]
    assert LONG not in world.everything()
    (left,) = lake.lines(world.s3, BUCKET, "bronze/2026/01/31/15/d.ndjson.gz")
    assert left["payload"]["transaction_id"] == f"gift/{player.mask}/1"
    assert left["payload"]["extra"] == {"friend": player.mask}
    assert (left["player_id"], left["event_id"]) == ("bob", gift["event_id"])
    assert "fields of other players' events" in receipt["not_searched"]


@pytest.mark.parametrize(
    ("line", "belongs"),
    [
        (b'{"reject_id":"r","game_id":"skyforge","original":"{\\"player_id\\":\\"ann\\",', True),
        (b'{"game_id":"other","original":"{\\"player_id\\":\\"ann\\",', False),
        (
            b'{"reject_id":"r","game_id":"skyforge","original":"{\\"player_id\\":\\"bob\\",\\"x\\":\\"ann\\"',
            False,
        ),
        (b"7", False),
    ],
)
def test_a_torn_reject_is_found_and_does_no_harm(line: bytes, belongs: bool) -> None:
    assert owned(cut_reject(line, ANN)) is belongs


@pytest.mark.parametrize("zipped", [False, True])
def test_rejects_and_failed_deliveries_are_erased(world: World, zipped: bool) -> None:
    lost = gzip.compress(json.dumps(event("ann")).encode())
    failure = {"errorCode": "S3.Error", "rawData": base64.b64encode(lost).decode()}
    rejects = [reject(b'{"player_id":"ann",'), reject(b'{"player_id":"bob"')]
    world.put("rejected/day=2026-01-31/reason=schema_violation/1", rejects, zipped)
    world.put("errors/bronze/failed/2026/01/31/12/1", [failure, {"errorCode": "x"}], zipped)
    receipt = erase(world.stores(), dated(ANN, world.stores()), pseudonym="p")
    deleted = {step["store"]: step["deleted"] for step in receipt["steps"]}
    assert (deleted["rejected"], deleted["errors"], receipt["nothing_left"]) == (1, 1, True)
    key = "rejected/day=2026-01-31/reason=schema_violation/1"
    assert list(lake.lines(world.s3, BUCKET, key)) == [rejects[1]]


def test_silver_keeps_no_file_with_an_erased_player(silver: Table) -> None:
    moment = datetime(2026, 1, 31, 12)
    for game_id in (GAME, "other"):
        rows = [
            {"game_id": game_id, "player_id": who, "corrected_time": moment, "extra": {"a": who}}
            for who in ("ann", "bob")
        ]
        silver.append(pa.Table.from_pylist(rows, schema=silver.schema().as_arrow()))
    store = LocalSilver()
    (bob,) = store.find(BOB)
    assert [row["player_id"] for row in store.find(ANN)] == ["ann"]
    assert (store.erase(ANN), store.erase(ANN)) == (1, 0)
    assert not list(store.find(ANN))
    assert list(store.find(BOB)) == [bob]
    assert len(list(store.find(Subject("other", "ann")))) == 1
    silver.refresh()
    there = {path.as_uri() for path in Path(silver.location().removeprefix("file://")).rglob("*.parquet")}
    assert {path.removeprefix("file://") for path in data_files(silver)} == {
        path.removeprefix("file://") for path in there
    }
    left = [row for path in there for row in pq.read_table(path.removeprefix("file://")).to_pylist()]
    assert sorted((row["game_id"], row["player_id"]) for row in left) == [
        ("other", "ann"), ("other", "bob"), (GAME, "bob"),
    ]  # fmt: skip


class Athena:
    """Answers as Athena does: states over time, pages with the header in the first."""

    def __init__(self, rows: int, failing: str = "") -> None:
        self.rows, self.failing, self.sql, self.asked = rows, failing, [], 0

    def start_query_execution(self, QueryString: str, **_: Any) -> Any:  # noqa: N803
        self.sql.append(QueryString)
        return {"QueryExecutionId": str(len(self.sql))}

    def get_query_execution(self, QueryExecutionId: str) -> Any:  # noqa: N803
        self.asked += 1
        state = "RUNNING" if self.asked % 2 else "SUCCEEDED"
        if self.failing and self.failing in self.sql[-1]:
            return {"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": "no room"}}}
        return {"QueryExecution": {"Status": {"State": state}}}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Any:
        cells = [["event_id", "player_id"], *(["e", "ann"] for _ in range(self.rows))]
        if "count(*)" in self.sql[-1]:
            cells = [["held"], [str(self.rows)]]
        rows = [{"Data": [{"VarCharValue": value} for value in row]} for row in cells]
        return [{"ResultSet": {"Rows": rows[:1]}}, {"ResultSet": {"Rows": rows[1:]}}]


def test_silver_on_aws_is_deleted_and_its_files_written_anew() -> None:
    athena = Athena(rows=2)
    silver = Silver(athena, "analysts", "lake", poll_seconds=0)
    assert list(silver.find(ANN)) == [{"event_id": "e", "player_id": "ann"}] * 2
    assert silver.erase(ANN) == 2
    assert athena.sql[2:] == [
        "DELETE FROM events WHERE game_id = 'skyforge' AND (player_id IN ('ann')"
        " OR payload.previous_player_id IN ('ann'))",
        "ALTER TABLE events SET TBLPROPERTIES ('optimize_rewrite_delete_file_threshold' = '1')",
        "OPTIMIZE events REWRITE DATA USING BIN_PACK",
    ]


def test_a_query_that_fails_ends_the_run() -> None:
    with pytest.raises(PrivacyError, match="no room"):
        Silver(Athena(rows=1, failing="DELETE"), "analysts", "lake", poll_seconds=0).erase(ANN)


@pytest.mark.parametrize("player", ["", "a\n", "x" * 257, "\ud800"])
def test_what_no_client_can_have_sent_is_no_id(player: str) -> None:
    with pytest.raises(PrivacyError, match="1 to 256 characters"):
        Subject(GAME, player)


SENT = ["auth0|5f7c8ec7c33c6c004bbafe82", "Ann Smith", "x' OR '1'='1", "a#b", "Zoë 1", "x" * 65]


@pytest.mark.parametrize("player", SENT)
def test_nothing_but_an_id_gets_into_a_statement(player: str) -> None:
    """What the envelope does not take is stored by its hash."""
    subject, athena, function = Subject(GAME, player), Athena(rows=1), Function()
    list(Silver(athena, "analysts", "lake", poll_seconds=0).find(subject))
    Warehouse(function, "warehouse").erase(subject)
    stored = stored_player(player)
    assert f"player_id IN ('{stored}')" in athena.sql[0]
    assert player not in athena.sql[0]
    assert function.asked[0]["player_ids"] == [stored]


@pytest.mark.parametrize("player", SENT)
@pytest.mark.parametrize("torn", [False, True])
def test_an_id_that_the_envelope_refuses_is_found_in_rejects(player: str, torn: bool) -> None:
    """Nobody could ask for the rejects of such a player."""
    subject, other = Subject(GAME, player), {"player_id": "bob", "payload": {"extra": {"friend": player}}}
    for original, is_own in (({"player_id": player, "x": 1}, True), (other, False)):
        raw = json.dumps(original, ensure_ascii=False).encode()
        line = json.dumps(reject(raw[:-1] if torn else raw)).encode()
        cut = cut_reject(line, subject)
        assert cut
        assert owned(cut) is is_own
        if cut.kept:
            left = raw.decode().replace(json.dumps(player, ensure_ascii=False), f'"{subject.mask}"')
            kept = json.loads(cut.kept)["original"]
            assert kept.replace(" ", "") == (left[:-1] if torn else left).replace(" ", "")
        assert cut_reject(line, ANN) is None
    accepted = event(stored_player(player))
    assert owned(cut_event(json.dumps(accepted).encode(), subject))


def test_the_hash_and_the_id_of_such_a_player_have_one_name(world: World, of_lake: privacy.Platform) -> None:
    """Late events have the hash; the receipt is made for the id."""
    world.put("bronze/2026/01/31/15/d.ndjson.gz", [late := event(stored_player(SENT[0]), 7)])
    of_lake.erase(GAME, SENT[0], "asked")
    world.put("bronze/2026/02/01/00/e.ndjson.gz", [late])
    assert of_lake.again() == 1


class Function:
    """The warehouse's function, which holds three rows of whom it is asked about."""

    def __init__(self) -> None:
        self.asked: list[Event] = []

    def invoke(self, FunctionName: str, Payload: str) -> Any:  # noqa: N803
        self.asked.append(json.loads(Payload))
        if FunctionName == "broken":
            return {"FunctionError": "Unhandled", "Payload": BytesIO(b'{"errorMessage": "no such column"}')}
        return {"Payload": BytesIO(b'{"fact_events": 2, "dim_player": 1}')}


def test_the_warehouse_is_asked_for_all_ids_of_a_player() -> None:
    function, pseudonyms = Function(), Pseudonyms(GAME, b"key")
    ann = Subject(GAME, "ann", pseudonyms)
    assert Warehouse(function, "warehouse").erase(ann) == 3
    assert list(Warehouse(function, "warehouse").find(ann))[1] == {"table": "dim_player", "rows": 1}
    asked = {"game_id": GAME, "player_ids": ["ann", pseudonyms.player("ann")]}
    assert function.asked == [asked | {"action": "erase"}, asked | {"action": "find"}]
    with pytest.raises(PrivacyError, match="no such column"):
        Warehouse(function, "broken").erase(ann)


def test_a_receipt_names_nobody_and_shows_changes(world: World) -> None:
    receipt = erase(world.stores(), ANN, pseudonym=world.game().name("ann"), reason="asked")
    key = Receipts(world.s3, BUCKET).keep(receipt)
    kept = json.loads(world.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    assert digest_of(kept) == kept["sha256"]
    assert digest_of(kept | {"reason": "else"}) != kept["sha256"]
    assert "ann" not in json.dumps(kept).replace(GAME, "")
    assert "ann" not in key


def test_a_receipt_is_kept_once(world: World) -> None:
    """Nobody's run replaces what another's says; the bucket's policy demands it of all."""
    receipt = erase(world.stores(), ANN, pseudonym="p")
    receipts = Receipts(world.s3, BUCKET)
    receipts.keep(receipt)
    with pytest.raises(PrivacyError, match="run again"):
        receipts.keep(receipt | {"steps": []})


def test_names_in_receipts_are_stable_and_each_games_own(world: World) -> None:
    first, again = (world.game().name("ann") for _ in range(2))
    assert first == again
    assert first != world.game("other").name("ann")
    with pytest.raises(CommandError, match="not registered"):
        games.privacy_key(world.games, "nowhere")


def test_who_comes_again_with_older_events_is_found(world: World) -> None:
    receipts = Receipts(world.s3, BUCKET)
    for subject in (ANN, BOB):
        receipts.keep(erase(world.stores(), subject, pseudonym=world.game().name(subject.player_id)))
    assert world.late_arrivals() == []
    world.put("bronze/2026/02/01/00/d.ndjson.gz", [event("ann", 7), event("bob", 7, minutes_ago=A_DAY_LATER)])
    assert world.late_arrivals() == ["ann"], "what bob did since is another matter"
    assert receipts.watched(GAME, datetime.now(UTC) + AGAIN_FOR + timedelta(days=1)) == {}
    assert receipts.watched("other", datetime.now(UTC)) == {}


def test_a_torn_line_hides_nobody_who_comes_again(world: World) -> None:
    receipts = Receipts(world.s3, BUCKET)
    receipts.keep(erase(world.stores(), ANN, pseudonym=world.game().name("ann")))
    torn = b'{"game_id":"skyforge","player_id":"ann","pay\n7\n'
    later = json.dumps(event("ann", 7)).encode()
    world.s3.put_object(Bucket=BUCKET, Key="bronze/2026/02/01/00/d.ndjson", Body=torn + later)
    assert world.late_arrivals() == ["ann"]


@pytest.mark.parametrize(
    ("original", "game_id", "minutes_ago", "found"),
    [
        (b'{"player_id":"ann"', GAME, 5, ["ann"]),
        (b'\xff"player_id":"ann"', GAME, 5, ["ann"]),
        (b'{"player_id":"ann","game_id":"skyforge"}', "unknown", 5, ["ann"]),
        (b'{"player_id":"ann","game_id":"elsewhere"}', "unknown", 5, []),
        (b'{"player_id":"ann"', "other", 5, []),
        (b'{"player_id":"annie"}', GAME, 5, []),
        (b'{"player_id":"ann"', GAME, A_DAY_LATER, []),
    ],
)
def test_a_reject_that_was_on_its_way_is_found(
    world: World, original: bytes, game_id: str, minutes_ago: int, found: list[str]
) -> None:
    """Firehose held it back when the player was erased; what came later is the player's new history."""
    receipts = Receipts(world.s3, BUCKET)
    receipts.keep(erase(world.stores(), ANN, pseudonym=world.game().name("ann")))
    received = {"received_at": timestamp(NOW - timedelta(minutes=minutes_ago))}
    world.put("rejected/day=2026-02-01/reason=schema_violation/1", [reject(original, game_id) | received])
    assert world.late_arrivals() == found


def test_the_last_receipt_counts(world: World) -> None:
    """Who came back and asked once more is erased up to then."""
    receipts = Receipts(world.s3, BUCKET)
    receipt = erase(world.stores(), ANN, pseudonym=world.game().name("ann"))
    for days in (5, 0, 9):
        receipts.keep(receipt | {"started_at": timestamp(NOW - timedelta(days=days))})
    world.put("bronze/2026/02/01/00/d.ndjson.gz", [event("ann", 7, minutes_ago=60)])
    assert world.late_arrivals() == ["ann"]


@pytest.fixture
def platform(world: World, silver: Table) -> privacy.Platform:
    """What the command has of an environment on this machine."""
    tables = {name: name for name in ("players", "leaderboards", "games", "game_days", "recent_events")}
    return privacy.Platform({"tables": tables, "lake_bucket": BUCKET, "lake_database": "lake"}, local=True)


@pytest.fixture
def of_lake(world: World, monkeypatch: pytest.MonkeyPatch) -> privacy.Platform:
    """The same without silver: tests of what the lake's objects say need no tables."""
    monkeypatch.setattr(
        privacy.Platform,
        "erasure",
        lambda _: Erasure(world.stores(), Receipts(world.s3, BUCKET), "arn:aws:me"),
    )
    tables = {name: name for name in ("players", "leaderboards", "games", "game_days", "recent_events")}
    return privacy.Platform({"tables": tables, "lake_bucket": BUCKET, "lake_database": "lake"}, local=True)


def test_the_command_erases_what_came_again(world: World, platform: privacy.Platform) -> None:
    platform.erase(GAME, "ann", "asked")
    world.put("bronze/2026/02/01/00/d.ndjson.gz", [event("ann", 7), event("bob", 7)])
    assert platform.again() == 1
    assert platform.again() == 0
    assert not any(world.of(ANN))
    assert len(list(Lines(world.s3, BUCKET, "bronze", cut_event).find(BOB))) == 7


def lagging(world: World, *scores: Event) -> None:
    """Write scores that leaderboards has yet to read; nothing else has them any more."""
    assert leaderboards_of(world.dynamodb, consistent=True).submit(scores) == []


@pytest.mark.parametrize("pseudonyms", [False, True])
def test_a_score_that_was_read_after_the_erasure_leaves_the_board_again(
    world: World, of_lake: privacy.Platform, pseudonyms: bool
) -> None:
    if pseudonyms:
        games.use_pseudonyms(world.games, GAME, "on")
    of_lake.erase(GAME, "ann", "asked")
    bobs = world.of(BOB)
    found = world.game().pseudonyms
    stored = found.player("ann") if found else "ann"
    lagging(world, event(stored, 7), event("ann", 8, game_id="other"))
    assert world.of(Subject(GAME, stored))[1]
    assert of_lake.again() == 1
    assert of_lake.again() == 0
    assert not any(world.of(Subject(GAME, stored)))
    assert world.of(BOB) == bobs
    assert any(world.of(Subject("other", "ann")))


def test_what_an_erased_player_scores_since_stays(world: World, of_lake: privacy.Platform) -> None:
    of_lake.erase(GAME, "ann", "asked")
    lagging(world, event("ann", 7, minutes_ago=A_DAY_LATER))
    assert of_lake.again() == 0
    assert len(world.of(ANN)[1]) == 1
    lagging(world, event("ann", 9))
    assert of_lake.again() == 1, "the older score is the better one"


def test_an_entry_that_somebody_removed_is_found_too(world: World, of_lake: privacy.Platform) -> None:
    of_lake.erase(GAME, "ann", "asked")
    marker = {"board": f"{GAME}#global#all#0", "player_id": "ann", "version": 1, "removed_at": timestamp(NOW)}
    boto3.resource("dynamodb").Table("leaderboards").put_item(Item=marker)
    assert of_lake.again() == 1
    assert not any(world.of(ANN))


def test_boards_are_read_as_long_as_a_score_may_wait(world: World, of_lake: privacy.Platform) -> None:
    receipts = Receipts(world.s3, BUCKET)
    receipt = erase(world.stores(), ANN, pseudonym=world.game().name("ann"))
    lagging(world, event("ann", 7, minutes_ago=60 * 24 * 30))
    kept = receipts.keep(receipt | {"started_at": timestamp(NOW - WAITS_FOR - timedelta(hours=6))})
    assert of_lake.again() == 0
    world.s3.delete_object(Bucket=BUCKET, Key=kept)
    receipts.keep(receipt | {"started_at": timestamp(NOW - WAITS_FOR + timedelta(hours=6))})
    assert of_lake.again() == 1


def test_recent_events_are_among_what_is_searched(world: World, platform: privacy.Platform) -> None:
    shown = RecentEvent("s:1/0", timestamp(NOW), "accepted", "rest", player_id="ann")
    world.dynamodb.put_item(TableName="recent_events", Item=packed(GAME, [shown], 0, NOW.timestamp()))
    receipt = platform.erase(GAME, "ann", "asked")
    steps = {step["store"]: step["deleted"] for step in receipt["steps"]}
    assert steps["recent events"] == 1
    assert not world.dynamodb.scan(TableName="recent_events")["Items"]


def test_the_function_of_the_night_erases_as_the_command_does(
    world: World, platform: privacy.Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in msgspec.structs.asdict(platform.settings()).items():
        monkeypatch.setenv(name.upper(), value)
    from privacy import handler

    context = Context()
    platform.erase(GAME, "ann", "asked")
    world.put("bronze/2026/02/01/00/d.ndjson.gz", [event("ann", 7)])
    assert handler.lambda_handler({}, context) == {"erased": 1}
    assert handler.lambda_handler({}, context) == {"erased": 0}
    assert not any(world.of(ANN))
    monkeypatch.setattr(handler.Settings, "erasure", lambda _: Unfinished())
    with pytest.raises(RuntimeError, match="of 1 players something is left"):
        handler.lambda_handler({}, context)


class Unfinished:
    """A search that cannot take all away."""

    def again(self, games: Any) -> list[Event]:
        return [{"game_id": GAME, "pseudonym": "p", "by": "me", "nothing_left": False}]


def test_only_what_came_since_the_last_search_is_read(
    world: World, platform: privacy.Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.erase(GAME, "ann", "asked")
    assert platform.again() == 0
    read: list[str] = []
    raw_lines = lake.raw_lines
    monkeypatch.setattr(lake, "raw_lines", lambda *given: read.append(given[2]) or raw_lines(*given))
    receipts = Receipts(world.s3, BUCKET)
    receipts.set_searched(datetime.now(UTC) + timedelta(hours=2))
    assert platform.again() == 0
    assert read == []


def test_who_erased_and_who_exported_is_on_record(
    world: World, platform: privacy.Platform, tmp_path: Path
) -> None:
    platform.export(GAME, "ann", tmp_path / "ann.zip")
    platform.erase(GAME, "ann", "asked")
    for below in ("exported", "erased"):
        (key,) = lake.keys(world.s3, BUCKET, f"privacy/{below}/game={GAME}/")
        kept = json.loads(world.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        assert kept["by"].startswith("arn:aws:")
        assert kept["pseudonym"] == world.game().name("ann")
        assert kept["started_at"][:10] == timestamp(datetime.now(UTC))[:10]
        assert digest_of(kept) == kept["sha256"]


def linked(guest: str, account: str, number: int) -> Event:
    """The event of an account that names its guest, as the processor passes it on."""
    named = {"event_type": "identify", "schema_id": "identify/1-0-0"}
    return event(account, number) | named | {"payload": {"previous_player_id": guest}}


@pytest.fixture
def guests(world: World) -> list[Event]:
    """Ann was annie, who was ann-7 before; bob was a guest too."""
    feed(PlayerStore(world.dynamodb, "players", "game_days"), [event("ann-7", 70)])
    lines = [event("ann-7", 70), linked("ann-7", "annie", 71), linked("annie", "ann", 72)]
    world.put("bronze/2026/01/31/15/d.ndjson.gz", [*lines, linked("bob-7", "bob", 73)])
    return lines


def test_an_account_takes_its_guests_along(
    world: World, platform: privacy.Platform, guests: list[Event], tmp_path: Path, monkeypatch: Any
) -> None:
    manifest = platform.export(GAME, "ann", tmp_path / "ann.zip")
    assert sorted(manifest["linked_player_ids"]) == ["ann-7", "annie"]
    with zipfile.ZipFile(tmp_path / "ann.zip") as archive:
        sent = [json.loads(line) for line in archive.read("bronze.ndjson").decode().splitlines()]
    assert {one["player_id"] for one in sent if "player_id" in one} == {"ann", "annie", "ann-7"}
    shown = list(platform.found(GAME, "ann"))
    assert "annie, which events link with ann and which goes too:" in shown
    before = world.of(BOB)
    receipt = platform.erase(GAME, "ann", "asked")
    assert receipt["pseudonym"] == world.game().name("ann")
    assert len(list(lake.keys(world.s3, BUCKET, f"privacy/erased/game={GAME}/"))) == 3
    left = {one["player_id"] for one in world.bronze() if one["game_id"] == GAME}
    assert left == {"bob"}
    assert world.of(BOB) == before
    for gone in ("ann-7", "annie"):
        assert not any(list(store.find(Subject(GAME, gone))) for store in world.stores())
    # What of a guest comes late is erased by itself.
    world.put("bronze/2026/02/01/00/e.ndjson.gz", [event("ann-7", 80)])
    assert platform.again() == 1


def test_a_guest_does_not_take_its_account_along(
    world: World, platform: privacy.Platform, guests: list[Event]
) -> None:
    platform.erase(GAME, "ann-7", "asked")
    held = [one for one in world.bronze() if one["game_id"] == GAME]
    assert {one["player_id"] for one in held} == {"ann", "annie", "bob"}
    (link,) = (one for one in held if (one["player_id"], one["event_type"]) == ("annie", "identify"))
    assert link["payload"]["previous_player_id"].startswith("erased-")
    assert "ann-7" not in json.dumps(held)


@pytest.fixture
def shared_device(world: World) -> str:
    """A guest of one device was ann's first; zoe, who logs in there later, is a second account of it."""
    lines = [
        event("guest-1", 90) | {"payload": {"leaderboard": "global", "score": 1, "extra": {"note": "ann's"}}},
        linked("guest-1", "ann", 91) | {"corrected_time": timestamp(NOW - timedelta(days=9))},
        linked("guest-1", "zoe", 92),
        event("zoe", 93),
    ]
    key = "bronze/2026/01/31/15/d.ndjson.gz"
    # The order of arrival says nothing.
    world.put(key, lines[::-1])
    return key


def test_a_guest_goes_with_its_first_account_only(
    world: World, of_lake: privacy.Platform, shared_device: str, tmp_path: Path
) -> None:
    """An export of the second account of a device once held what the first did as a guest."""
    manifest = of_lake.export(GAME, "zoe", tmp_path / "zoe.zip")
    assert manifest["linked_player_ids"] == []
    with zipfile.ZipFile(tmp_path / "zoe.zip") as archive:
        assert "ann" not in archive.read("bronze.ndjson").decode()
    assert of_lake.export(GAME, "ann", tmp_path / "ann.zip")["linked_player_ids"] == ["guest-1"]
    of_lake.erase(GAME, "zoe", "asked")
    assert [one["player_id"] for one in lake.lines(world.s3, BUCKET, shared_device)] == ["ann", "guest-1"]
    of_lake.erase(GAME, "ann", "asked")
    assert list(lake.lines(world.s3, BUCKET, shared_device)) == []


def test_a_link_that_was_taken_back_is_not_followed(
    world: World, of_lake: privacy.Platform, shared_device: str, tmp_path: Path
) -> None:
    (first,) = (one for one in lake.lines(world.s3, BUCKET, shared_device) if one["player_id"] == "ann")
    void = Correction(GAME, timestamp(NOW), "me", "the wrong guest", (), (first["event_id"],))
    world.s3.put_object(Bucket=BUCKET, Key=void.key, Body=void.text.encode())
    other = Correction("other", timestamp(NOW), "me", "another game", (), (event("zoe", 92)["event_id"],))
    world.s3.put_object(Bucket=BUCKET, Key=other.key, Body=other.text.encode())
    assert of_lake.export(GAME, "zoe", tmp_path / "zoe.zip")["linked_player_ids"] == ["guest-1"]
    assert of_lake.export(GAME, "ann", tmp_path / "ann.zip")["linked_player_ids"] == []


IDS = st.sampled_from(["a", "b", "c", "d", "e"])
TOLD = st.lists(
    st.tuples(st.integers(0, 3), st.uuids().map(str), IDS, IDS), max_size=10, unique_by=lambda t: t[1]
)


class Told:
    """A kept table of links, which is asked by the ids of one subject as Athena is."""

    name = "kept_links"

    def __init__(self, found: list[tuple[int, str, str, str]]) -> None:
        self.found = found

    def find(self, subject: Subject) -> Iterator[Event]:
        for at_ms, event_id, account, guest in self.found:
            if {account, guest} & {*subject.ids}:
                yield {
                    "at_ms": str(at_ms), "event_id": event_id, "player_id": account,
                    "previous_player_id": guest,
                }  # fmt: skip

    def erase(self, subject: Subject) -> int:
        return 0


@settings(max_examples=200, deadline=None)
@given(told=TOLD, asked=IDS)
def test_a_request_means_whom_the_history_counts_as_the_player(
    told: list[tuple[int, str, str, str]], asked: str
) -> None:
    """The definition of ADR 0029 over all links of the game; `family` reads those of one player."""
    first: dict[str, str] = {}
    for _, _, account, guest in sorted(told):
        if account != guest and guest not in first:
            first[guest] = account
    became: dict[str, list[str]] = {}
    for guest in first:
        ways = [guest]
        while len(ways) < 9 and ways[-1] in first:
            ways.append(first[ways[-1]])
        became[guest] = ways[1:]
    in_a_circle = asked in became.get(asked, [])
    meant = {guest for guest, ways in became.items() if asked in ways[:3] and not in_a_circle}
    found = family(Game(GAME, b"key"), [Told(told)], asked)
    assert found[-1].player_id == asked
    assert {one.player_id for one in found[:-1]} == meant
    order = [one.player_id for one in found]
    assert all(order.index(guest) < order.index(first[guest]) for guest in meant)


def test_an_event_that_links_two_players_leaves_silver_with_each_of_them(silver: Table) -> None:
    rows = [
        {"game_id": GAME, "player_id": who, "payload": {"previous_player_id": was} if was else None}
        for who, was in (("ann", None), ("ann", "guest"), ("bob", "guest"), ("guest", None), ("bob", None))
    ]
    silver.append(pa.Table.from_pylist(rows, schema=silver.schema().as_arrow()))
    guest = Subject(GAME, "guest")
    assert len(list(LocalSilver().find(guest))) == 3
    assert LocalSilver().erase(guest) == 3
    silver.refresh()
    left = silver.scan().to_arrow()
    assert sorted(left["player_id"].to_pylist()) == ["ann", "bob"]


@pytest.mark.parametrize("since_always", [True, False])
def test_a_game_with_pseudonyms_erases_by_the_id_it_sends(
    world: World, platform: privacy.Platform, since_always: bool, tmp_path: Path
) -> None:
    """Also what was stored by the id itself, before the option was turned on."""
    games.use_pseudonyms(world.games, GAME, "on")
    pseudonyms = world.game().pseudonyms
    assert pseudonyms
    stored = event("ann", 50) | {"player_id": pseudonyms.player("ann")}
    feed(PlayerStore(world.dynamodb, "players", "game_days"), [stored])
    leaderboards_of(world.dynamodb).submit([stored])
    world.put("bronze/2026/01/31/15/d.ndjson.gz", [stored])
    refusal = sealed(pseudonyms, b'{"player_id":"ann"')
    world.put("rejected/day=2026-01-31/reason=schema_violation/1", [refusal])
    lost = gzip.compress(json.dumps(refusal).encode())
    world.put("errors/rejected/1", [{"rawData": base64.b64encode(lost).decode()}])
    if since_always:
        erase(world.stores(), ANN, pseudonym="p")

    manifest = platform.export(GAME, "ann", tmp_path / "ann.zip")
    with zipfile.ZipFile(tmp_path / "ann.zip") as archive:
        (refused,) = map(json.loads, archive.read("rejected.ndjson").decode().splitlines())
    assert refused["original"] == '{"player_id":"ann"'
    assert manifest["files"]["bronze.ndjson"]["records"] == (1 if since_always else 4)
    before = world.of(BOB)
    receipt = platform.erase(GAME, "ann", "asked")
    deleted = {step["store"]: step["deleted"] for step in receipt["steps"]}
    twice = 1 if since_always else 2
    assert (deleted["profile"], deleted["leaderboards"]) == (twice, twice)
    assert (deleted["rejected"], deleted["errors"]) == (1, 1)
    assert pseudonyms.player("ann") not in world.everything().replace(receipt["pseudonym"], "")
    assert world.of(BOB) == before

    for line in (stored, event("ann", 51)):
        world.put("bronze/2026/02/01/00/e.ndjson.gz", [line])
        assert platform.again() == 1
    world.put("rejected/day=2026-02-01/reason=schema_violation/2", [refusal])
    assert platform.again() == 1
    assert platform.again() == 0


GUEST = "guest-0001-abcdef"


@pytest.fixture
def guest_by_pseudonym(world: World, of_lake: privacy.Platform) -> Pseudonyms:
    """Of ann's guest events have the pseudonym only; sealed rejects hold the id itself."""
    games.use_pseudonyms(world.games, GAME, "on")
    pseudonyms = world.game().pseudonyms
    assert pseudonyms
    guest, ann = pseudonyms.player(GUEST), pseudonyms.player("ann")
    world.put("bronze/2026/01/31/15/d.ndjson.gz", [event(guest, 1), linked(guest, ann, 2)])
    return pseudonyms


def sealed(pseudonyms: Pseudonyms, original: Any, game_id: str = GAME) -> Event:
    """A reject of a game with pseudonyms."""
    line = reject(b"", game_id)
    del line["original"]
    raw = original if isinstance(original, bytes) else json.dumps(original).encode()
    return line | {"original_sealed": pseudonyms.seal(raw), "sealed_for": GAME}


@pytest.mark.parametrize("game_id", [GAME, "unknown"])
def test_rejects_of_a_guest_go_where_only_its_pseudonym_is_known(
    world: World, of_lake: privacy.Platform, guest_by_pseudonym: Pseudonyms, tmp_path: Path, game_id: str
) -> None:
    """An erasure once left a guest's sealed rejects and said that nothing was left."""
    pseudonyms = guest_by_pseudonym
    about = {"game_id": GAME, "payload": {"extra": {"friend": GUEST, "note": f"met {GUEST}"}}}
    rejects = [
        sealed(pseudonyms, {"player_id": GUEST, "game_id": GAME}, game_id),
        sealed(pseudonyms, b'{"game_id":"skyforge","player_id":"guest-0001-abcdef","pay', game_id),
        sealed(pseudonyms, about | {"player_id": "bob"}, game_id),
        sealed(pseudonyms, {"player_id": f"{GUEST}0", "game_id": GAME}, game_id),
    ]
    world.put("rejected/day=2026-01-31/reason=schema_violation/1", rejects)
    lost = gzip.compress(b"".join(json.dumps(one).encode() + b"\n" for one in rejects[:2]))
    world.put("errors/rejected/1", [{"rawData": base64.b64encode(lost).decode()}])
    manifest = of_lake.export(GAME, "ann", tmp_path / "ann.zip")
    assert manifest["files"]["rejected.ndjson"]["records"] == 3
    with zipfile.ZipFile(tmp_path / "ann.zip") as archive:
        assert GUEST in archive.read("rejected.ndjson").decode()
    of_lake.erase(GAME, "ann", "asked")
    left = [
        json.loads(original_of(line, pseudonyms))
        for line in lake.lines(world.s3, BUCKET, "rejected/day=2026-01-31/reason=schema_violation/1")
    ]
    assert [one["player_id"] for one in left] == ["bob", f"{GUEST}0"]
    mask = left[0]["payload"]["extra"]["friend"]
    assert mask.startswith("erased-")
    assert left[0]["payload"]["extra"]["note"] == f"met {mask}"
    assert not list(Lines(world.s3, BUCKET, "errors", cut_failure).find(Subject(GAME, GUEST, pseudonyms)))


def test_what_of_such_a_guest_comes_late_is_erased_too(
    world: World, of_lake: privacy.Platform, guest_by_pseudonym: Pseudonyms
) -> None:
    """By its pseudonym, and by the id that a reject holds: both have the name of the guest's receipt."""
    of_lake.erase(GAME, "ann", "asked")
    world.put(
        "rejected/day=2026-02-01/reason=schema_violation/2",
        [sealed(guest_by_pseudonym, {"player_id": GUEST})],
    )
    assert of_lake.again() == 1
    assert list(lake.lines(world.s3, BUCKET, "rejected/day=2026-02-01/reason=schema_violation/2")) == []
    world.put("bronze/2026/02/01/00/e.ndjson.gz", [event(guest_by_pseudonym.player(GUEST), 9)])
    assert of_lake.again() == 1
    assert of_lake.again() == 0


def test_an_id_of_64_hexadecimal_digits_is_no_pseudonym(
    world: World, of_lake: privacy.Platform, guest_by_pseudonym: Pseudonyms
) -> None:
    """Some studios send hashes as ids."""
    player = "0123456789abcdef" * 4
    stored = event(guest_by_pseudonym.player(player), 5)
    world.put("bronze/2026/01/31/16/e.ndjson.gz", [stored])
    of_lake.erase(GAME, player, "asked")
    assert list(lake.lines(world.s3, BUCKET, "bronze/2026/01/31/16/e.ndjson.gz")) == []
    world.put("bronze/2026/02/01/00/f.ndjson.gz", [stored])
    assert of_lake.again() == 1


class Overtaking:
    """S3 in which another run of the same erasure acts between the listing and the writing of this one."""

    def __init__(self, world: World, times: int) -> None:
        self.world, self.left = world, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world.s3, name)

    def put_object(self, **given: Any) -> Any:
        if self.left and given["Key"].startswith("bronze/"):
            self.left -= 1
            self.world.put(given["Key"], [event("bob"), event("ann", self.left)])
        return self.world.s3.put_object(**given)


def test_two_erasures_of_one_player_at_once_both_end_well(world: World) -> None:
    store = Lines(Overtaking(world, 1), BUCKET, "bronze", cut_event)  # type: ignore[arg-type]
    assert store.erase(ANN)
    assert not list(store.find(ANN))
    assert list(store.find(BOB))


def test_an_erasure_that_is_always_overtaken_says_so(world: World) -> None:
    store = Lines(Overtaking(world, 99), BUCKET, "bronze", cut_event)  # type: ignore[arg-type]
    with pytest.raises(PrivacyError, match="run the same command again"):
        store.erase(ANN)


def test_a_version_that_another_run_deleted_is_passed_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Lines(world.s3, BUCKET, "bronze", cut_event)
    listed = list(store._versions(ANN))
    world.s3.delete_object(Bucket=BUCKET, Key=listed[0].key, VersionId=listed[0].id)
    monkeypatch.setattr(Lines, "_versions", lambda *_: iter(listed))
    assert store.rewrite(ANN)[0]


def test_exporting_nobody_is_an_error_and_leaves_no_archive(
    world: World, platform: privacy.Platform, tmp_path: Path
) -> None:
    before = set(tmp_path.iterdir())
    with pytest.raises(CommandError, match="nothing is stored about a player 'anm'"):
        platform.export(GAME, "anm", tmp_path / "anm.zip")
    assert set(tmp_path.iterdir()) == before


def test_an_earlier_archive_is_replaced_only_by_a_whole_one(
    world: World, platform: privacy.Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped id once destroyed the archive of another player."""
    archive = tmp_path / "player.zip"
    archive.write_bytes(b"earlier")
    before = set(tmp_path.iterdir())
    with pytest.raises(CommandError, match="check the id"):
        platform.export(GAME, "anm", archive)
    with monkeypatch.context() as broken:
        broken.setattr(Receipts, "keep", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            platform.export(GAME, "ann", archive)
    assert (archive.read_bytes(), set(tmp_path.iterdir())) == (b"earlier", before)
    platform.export(GAME, "ann", archive)
    assert zipfile.is_zipfile(archive)
    assert set(tmp_path.iterdir()) == before


def test_erasing_shows_what_it_would_take_and_asks(
    world: World, platform: privacy.Platform, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    shown = list(platform.found(GAME, "ann"))
    assert "bronze: 3 records" in shown
    assert any('"player_id": "ann"' in line for line in shown)
    assert "bronze: 0 records" in list(platform.found(GAME, "anm"))
    monkeypatch.setattr(privacy.infrastructure, "outputs", lambda _: platform.outputs)
    monkeypatch.setattr(privacy.emulator, "local_environment", dict)
    command = ["privacy", "erase", "--game", GAME, "--player", "ann"]
    monkeypatch.setattr("sys.argv", command)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
    with pytest.raises(CommandError, match="--yes"):
        privacy.main()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda _: "y")
    with pytest.raises(CommandError, match="nothing was erased"):
        privacy.main()
    assert any(world.of(ANN))
    monkeypatch.setattr("builtins.input", lambda _: "ann")
    privacy.main()
    assert not any(world.of(ANN))
