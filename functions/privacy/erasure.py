"""Takes a player's data away, with a receipt that names nobody; finds who is erased and comes again."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError
from telemetry import corrections, lake
from telemetry.enrichment import timestamp
from telemetry.guidance import PLAYER_FIELDS, Rules, stored_player
from telemetry.lateness import TOO_OLD_AFTER
from telemetry.pseudonyms import Pseudonyms, Unopened, original_of

from privacy.data_stores import (
    UNKNOWN_GAME,
    DataStore,
    LeaderboardEntries,
    Lines,
    PrivacyError,
    Profile,
    Record,
    Subject,
    candidates,
    games_in,
    player_fields,
    record_of,
    value_of,
    versions,
)

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# An event waits for a function that lags for at most a week.
WAITS_FOR = timedelta(days=8)
# An event that happened before is refused 31 days later.
AGAIN_FOR = TOO_OLD_AFTER + WAITS_FOR
ERASED, EXPORTED, SEARCHED = "privacy/erased", "privacy/exported", "privacy/searched.json"
# Where late_arrivals looks.
TRACED = ("bronze", "rejected")
# An object bears the time at which its writing began.
OVERLAP = timedelta(hours=1)
# Rejects hold words without end; players that come again and again are worth remembering.
NAMES_KEPT = 100_000
# The history follows a chain of links so far (functions/batch_analytics/sql/kept/_links.sql).
MAX_LINKS = 3
GUEST, EPOCH = b'"previous_player_id"', datetime(1970, 1, 1, tzinfo=UTC)
# A receipt says of these why it does not name them among the stores, or what of a store is not searched.
NOT_SEARCHED = {
    "fields of other players' events": "payload, dimensions and client are searched in bronze, the"
    " quarantine with its messages, ids and types, recent events and failed deliveries: ids of 12 characters"
    " or more with a digit in all free texts, other ids in texts of fields named for players; not numbers of"
    " accepted events, names of leaderboards, names of fields, parts of longer words or ids, another letter"
    " case, or text that is encoded once more",
    "bytes that are no JSON": "short ids that no field names, ids without quotes at the end of the bytes, and"
    " whatever was cut before a field that names the player; they expire with the quarantine, torn lines with"
    " bronze",
    "fields that a reject has twice": "the first of their values, which expires with the quarantine",
    "guests whose pseudonym alone is known": "what they sent before pseudonyms were turned on, their ids in"
    " accepted events of others, and as parts of longer ones in rejects; erase by the guest's own id",
    "silver, kept tables, warehouse": "the rows of other players: what their fields hold stays, but for links"
    " with the player in silver and the kept tables",
    "counts, gold": "name no player; gold is computed anew without them",
    "reports": "hold a game's figures, no player's id",
    "streams, dedupe, backups": "end by themselves: docs/security.md",
}


@dataclass(frozen=True, slots=True)
class Game:
    """What names a game's players: the key of its item, and its pseudonyms where it has or had them."""

    game_id: str
    key: bytes
    pseudonyms: Pseudonyms | None = None
    player_fields: tuple[str, ...] = PLAYER_FIELDS

    @classmethod
    def of(cls, item: Record) -> "Game":
        """Read the item of a game that has a key."""
        key, fields = bytes(item["privacy_key"]), Rules.of(item).player
        return cls(item["game_id"], key, Pseudonyms.held(item), fields)

    def subject(self, player_id: str, is_pseudonym: bool = False) -> Subject:
        """Return whom the game means by an id, or whom it stores by a pseudonym."""
        fields = self.player_fields
        return Subject(
            self.game_id, player_id, self.pseudonyms, is_pseudonym=is_pseudonym, player_fields=fields
        )

    def name(self, player_id: str) -> str:
        """Name a player in a receipt, by a hash that only the holder of the key can make.

        It is made of the pseudonym, so that whoever is stored by one is named the same.
        """
        return self._hash(Pseudonyms(self.game_id, self.key).player(stored_player(player_id)))

    def name_of(self, subject: Subject) -> str:
        """Name whom an erasure is about; the pseudonym and the id of a player have the same name."""
        return self._hash(subject.player_id) if subject.is_pseudonym else self.name(subject.player_id)

    def names(self, stored: str) -> tuple[str, str]:
        """Return what a receipt may call whom the lake knows by an id: as a pseudonym, or as an id."""
        return self._hash(stored), self.name(stored)

    def _hash(self, text: str) -> str:
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()


def erase(stores: Iterable[DataStore], subject: Subject, **told: str) -> Record:
    """Take a player's data away and search again; return the receipt, which names nobody.

    It can be run again, also after a crash at any step: each store takes away what it still finds. The
    lake is rewritten first, for others are filled from it. Its old versions, by which `late_arrivals` finds
    the player again, go last, and only where nothing is left elsewhere.
    """
    started = datetime.now(UTC)
    steps: list[Record] = []
    last = lambda store: (isinstance(store, Lines), isinstance(store, Profile), store.name in TRACED)  # noqa: E731
    ordered = sorted(stores, key=last)
    rewritten = {store.name: store.rewrite(subject) for store in ordered if isinstance(store, Lines)}
    for store in ordered:
        begun = time.monotonic()
        if isinstance(store, Lines):
            deleted, holding = rewritten[store.name]
            if not any(step["left"] for step in steps):
                store.delete(holding)
        else:
            deleted = store.erase(subject)
        left = sum(1 for _ in store.find(subject))
        seconds = round(time.monotonic() - begun, 1)
        steps.append({"store": store.name, "deleted": deleted, "left": left, "seconds": seconds})
    return signed(
        {
            "game_id": subject.game_id,
            **told,
            "started_at": timestamp(started),
            "ended_at": timestamp(datetime.now(UTC)),
            "steps": steps,
            "not_searched": NOT_SEARCHED,
            "nothing_left": not any(step["left"] for step in steps),
        }
    )


class Link(NamedTuple):
    """An event that says that a guest is an account; links are in the order of the history."""

    at_ms: int
    event_id: str
    account: str
    guest: str


def links(stores: Sequence[DataStore], subjects: Sequence[Subject]) -> Iterator[Link]:
    """Yield the links that name a subject as the guest or the account.

    Bronze has every event, and `kept_links` those in the history. Bronze is read since the first of the
    subjects, and at least for as long as events come late: a link may come before the guest's first event.
    """
    kept = [store for store in stores if store.name == "kept_links"]
    bronze = [store for store in stores if isinstance(store, Lines) and store.name == "bronze"]
    game_id, ids = subjects[0].game_id, {one for subject in subjects for one in subject.ids}
    wanted = [one.encode() for one in ids]
    moments = [subject.since for subject in subjects]
    since = None
    if kept and all(moments):
        since = min(datetime.now(UTC) - AGAIN_FOR, *filter(None, moments))
    for line in (line for store in bronze for line in store.read(since)):
        if GUEST not in line or not any(one in line for one in wanted):
            continue
        event = record_of(line) or {}
        if (event.get("game_id"), event.get("event_type")) == (game_id, "identify"):
            moment = datetime.fromisoformat(event["corrected_time"])
            at_ms = (moment - EPOCH) // timedelta(milliseconds=1)
            link = Link(at_ms, event["event_id"], event["player_id"], event["payload"]["previous_player_id"])
            if ids & {link.account, link.guest}:
                yield link
    for row in (row for store in kept for subject in subjects for row in store.find(subject)):
        yield Link(int(row["at_ms"]), row["event_id"], row["player_id"], row["previous_player_id"])


def accounts(found: Iterable[Link], voided: Set[str]) -> dict[str, str]:
    """Return the account of each guest: the first link of a guest counts, as it does in the history."""
    told: dict[str, str] = {}
    for link in sorted(found):
        if link.account != link.guest and link.event_id not in voided:
            told.setdefault(link.guest, link.account)
    return told


def family(game: "Game", stores: Sequence[DataStore], player_id: str) -> list[Subject]:
    """Return whom a request means: the player, and the guests that became the player.

    They are at most three links away, as in the history (ADR 0029): a guest belongs to the account that its
    first link names, links of events that were taken back count for nothing, and a circle links nobody.
    Guests come before their account, whose events name them.
    """
    asked = dated(game.subject(player_id), stores)
    known, last = dict.fromkeys(asked.ids, asked), [asked]
    voided = frozenset(event_id for store in stores for event_id in _voided(store, game.game_id))
    found: set[Link] = set()
    # The links of the last guests are read as well: an earlier one may name another account.
    for _ in range(MAX_LINKS + 1):
        found |= {*links(stores, last)}
        named = {guest: one for guest, one in accounts(found, voided).items() if one in known}
        last = []
        for guest in sorted(named.keys() - known.keys()):
            account = known[named[guest]]
            is_pseudonym = account.pseudonym == named[guest]
            last.append(dated(game.subject(guest, is_pseudonym), stores))
        if not last:
            break
        known |= {one.player_id: one for one in last}
    became = accounts(found, voided)
    if any(set(asked.ids) & set(_chain(one, became, len(became))) for one in asked.ids):
        return [asked]
    guests = [
        (len(chain), guest)
        for guest in known.keys() - set(asked.ids)
        if (chain := _until(asked.ids, _chain(guest, became, MAX_LINKS)))
    ]
    return [*(known[guest] for _, guest in sorted(guests, reverse=True)), asked]


def _chain(player_id: str, became: Mapping[str, str], length: int) -> list[str]:
    """Return the accounts that a guest became, one after the other, at most so many."""
    chain: list[str] = []
    while len(chain) < length and (account := became.get(chain[-1] if chain else player_id)):
        chain.append(account)
    return chain


def _until(ids: Sequence[str], chain: list[str]) -> list[str]:
    """Return a chain up to one of the ids, empty where it does not lead there."""
    ends = [at for at, one in enumerate(chain, 1) if one in ids]
    return chain[: ends[0]] if ends else []


def _voided(store: DataStore, game_id: str) -> Iterator[str]:
    """Yield the events of a game that the history does not count any more."""
    if isinstance(store, Lines) and store.name == "bronze":
        for key in lake.keys(store.s3, store.bucket, f"{corrections.PREFIX}/"):
            body = store.s3.get_object(Bucket=store.bucket, Key=key)["Body"].read()
            correction = corrections.Correction.read(body.decode())
            yield from correction.event_ids if correction.game_id == game_id else ()


def dated(subject: Subject, stores: Sequence[DataStore]) -> Subject:
    """Return the subject with the moment since when to search bronze, as the profiles say."""
    profiles = [found for store in stores if isinstance(store, Profile) for found in store.find(subject)]
    first = min((profile["first_seen"] for profile in profiles), default=None)
    return replace(subject, since=datetime.fromisoformat(first) if first else None)


def signed(receipt: Record) -> Record:
    """Return a receipt with its hash."""
    return receipt | {"sha256": digest_of(receipt)}


def digest_of(receipt: Record) -> str:
    """Return the hash of a receipt without its own `sha256`."""
    content = {name: value for name, value in receipt.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Receipts:
    """Who erased or exported whom, kept beside the lake by day: the audit log, and whom to watch for.

    The bucket lets nobody replace or delete a receipt.
    """

    s3: "S3Client"
    bucket: str

    def keep(self, receipt: Record, below: str = ERASED) -> str:
        """Store a receipt once; return its key."""
        moment = receipt["started_at"]
        key = f"{below}/game={receipt['game_id']}/day={moment[:10]}/{receipt['pseudonym']}-{moment}.json"
        body = json.dumps(receipt, indent=2).encode() + b"\n"
        try:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise
            raise PrivacyError(
                f"another run began in the same millisecond and left {key}: run again"
            ) from None
        return key

    def watched(self, game_id: str, now: datetime) -> dict[str, str]:
        """Return who was erased so lately that older events can still come: pseudonym to last moment."""
        first = (now - AGAIN_FOR).date().isoformat()
        found: dict[str, str] = {}
        prefix = f"{ERASED}/game={game_id}/day="
        for key in lake.keys(self.s3, self.bucket, prefix):
            day, _, name = key.removeprefix(prefix).partition("/")
            if day >= first:
                pseudonym, _, moment = name.removesuffix(".json").partition("-")
                found[pseudonym] = max(found.get(pseudonym, moment), moment)
        return found

    def searched(self) -> datetime | None:
        """Return until when everything that came was searched, None before the first search."""
        for key in lake.keys(self.s3, self.bucket, SEARCHED):
            body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            return datetime.fromisoformat(json.loads(body)["until"])
        return None

    def set_searched(self, until: datetime) -> None:
        """Remember until when everything was searched."""
        body = json.dumps({"until": timestamp(until)}).encode()
        self.s3.put_object(Bucket=self.bucket, Key=SEARCHED, Body=body)


@dataclass(slots=True)
class Watch:
    """The erased players of a game, by what receipts call them."""

    game: Game
    moments: dict[str, str]
    _names: Callable[[str], tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        """Remember names: the same players come again and again."""
        self._names = lru_cache(maxsize=NAMES_KEPT)(self.game.names)

    def erased(self, stored: str, moment: str) -> tuple[Subject, str] | None:
        """Return whom an id means and their name, where a trace of a moment is older than their receipt."""
        for name, is_pseudonym in zip(self._names(stored), (True, False), strict=True):
            if moment < self.moments.get(name, ""):
                return self.game.subject(stored, is_pseudonym and self.game.pseudonyms is not None), name
        return None


def late_arrivals(
    s3: "S3Client", bucket: str, watches: dict[str, Watch], since: datetime
) -> Iterator[tuple[Subject, str]]:
    """Yield the erased players of whom the lake got something old since then, and their names.

    That is an event of bronze that happened before they were erased, or a reject that was received
    before and was still on its way; a version that was replaced leads to whom an interrupted run left.
    Torn lines tell no time and are passed over.
    """
    found: set[tuple[str, str]] = set()
    for store, traces in zip(TRACED, (_of_event, _of_reject), strict=True):
        for version in versions(s3, bucket, f"{store}/", since):
            for line in lake.raw_lines(s3, bucket, version.key, version.id):
                for game_id, player, moment in traces(line, watches):
                    erased = watches[game_id].erased(player, moment)
                    if erased and (game_id, player) not in found:
                        found.add((game_id, player))
                        yield erased


def returned_entries(
    boards: LeaderboardEntries, watches: dict[str, Watch], now: datetime
) -> Iterator[tuple[Subject, str]]:
    """Yield the erased players who have an entry of a score from before their erasure, and their names.

    The function leaderboards had yet to read that score. No object of the lake leads to it. The table is
    read whole, unless nobody was erased for as long as a score may wait.
    """
    last = max(moment for watch in watches.values() for moment in watch.moments.values())
    if last < timestamp(now - WAITS_FOR):
        return
    for game_id, player, moment in boards.scores():
        watch = watches.get(game_id)
        if watch and (erased := watch.erased(player, moment)):
            yield erased


Traces = Iterator[tuple[str, str, str]]


def _of_event(line: bytes, watches: dict[str, Watch]) -> Traces:
    event = record_of(line)
    if event and event["game_id"] in watches:
        yield event["game_id"], event["player_id"], event["corrected_time"]


def _of_reject(line: bytes, watches: dict[str, Watch]) -> Traces:
    """Yield the players that a reject may be of: its owner, or whoever the bytes may name."""
    reject = record_of(line)
    owner = reject and reject.get("sealed_for", reject["game_id"])
    if not reject or owner not in (UNKNOWN_GAME, *watches):
        return
    try:
        raw = original_of(reject, watches[owner].game.pseudonyms if owner in watches else None)
    except Unopened:
        return
    fields = watches[owner].game.player_fields if owner in watches else PLAYER_FIELDS
    envelope = reject.get("envelope", "native")
    ids = candidates(raw, envelope, player_fields(envelope, fields))
    for game_id in [owner] if owner in watches else games_in(raw, value_of(raw)) & watches.keys():
        yield from ((game_id, player, reject["received_at"]) for player in ids)


@dataclass(frozen=True, slots=True)
class Erasure:
    """All stores of an environment, and who acts: the ARN of whom AWS answers."""

    stores: Sequence[DataStore]
    receipts: Receipts
    by: str

    def erase(self, subject: Subject, name: str, reason: str) -> Record:
        """Erase one player and keep the receipt. Its `nothing_left` says whether that is all."""
        receipt = erase(self.stores, subject, pseudonym=name, reason=reason, by=self.by)
        self.receipts.keep(receipt)
        return receipt

    def again(self, games: Iterable[Game]) -> list[Record]:
        """Erase again the players of whom late events arrived since the last search; return the receipts.

        All that came before was searched then, so that only newer objects are read. Leaderboards are read
        whole.
        """
        now, receipts = datetime.now(UTC), self.receipts
        found = {game.game_id: Watch(game, receipts.watched(game.game_id, now)) for game in games}
        watches = {game_id: watch for game_id, watch in found.items() if watch.moments}
        kept: list[Record] = []
        if watches:
            first = min(moment for watch in watches.values() for moment in watch.moments.values())
            since = max(receipts.searched() or datetime.fromisoformat(first), datetime.fromisoformat(first))
            since -= OVERLAP
            players = list(late_arrivals(receipts.s3, receipts.bucket, watches, since))
            for boards in (store for store in self.stores if isinstance(store, LeaderboardEntries)):
                players += returned_entries(boards, watches, now)
            once = {(who.game_id, who.player_id): (replace(who, since=since), name) for who, name in players}
            kept = [self.erase(who, name, "came again") for who, name in once.values()]
        if all(receipt["nothing_left"] for receipt in kept):
            receipts.set_searched(now)
        return kept
