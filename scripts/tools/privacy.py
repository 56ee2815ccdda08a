"""Export what is stored about a player, or forget it; who is forgotten is searched for again by `again`."""

import argparse
import base64
import hashlib
import hmac
import json
import os
import secrets
import time
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.types import Binary
from botocore.exceptions import BotoCoreError, ClientError
from telemetry.enrichment import TOO_OLD_AFTER, timestamp

from tools import CommandError, batch, emulator, lake, run, terraform
from tools.personal_data import (
    UNKNOWN_GAME,
    BoardEntries,
    Lines,
    LocalCopy,
    Place,
    Profile,
    Silver,
    Subject,
    ids_in,
    is_event,
    is_failure,
    is_reject,
    original_of,
    record_of,
    since,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3.client import S3Client

# An event that happened before is refused 31 days later, and waits for a processor for at most a week more.
AGAIN_FOR = TOO_OLD_AFTER + timedelta(days=8)
RECEIPTS = "privacy/forgotten"
# Rejects hold words without end; players that come again and again are worth remembering.
NAMES_KEPT = 100_000
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Names players by a hash that only the holder of the game's key can make: HMAC-SHA256, in hex."""

    key: bytes

    @classmethod
    def of(cls, games: "Table", game_id: str) -> "Pseudonyms":
        """Read a game's key, made when it is first needed. Raises CommandError where no game is."""
        try:
            answer = games.update_item(
                Key={"game_id": game_id},
                UpdateExpression="SET privacy_key = if_not_exists(privacy_key, :new)",
                ConditionExpression="attribute_exists(game_id)",
                ExpressionAttributeValues={":new": secrets.token_bytes(32)},
                ReturnValues="ALL_NEW",
            )
        except games.meta.client.exceptions.ConditionalCheckFailedException:
            raise CommandError(f"{game_id} is not registered") from None
        return cls(bytes(answer["Attributes"]["privacy_key"]))  # type: ignore[arg-type]

    def name(self, player_id: str) -> str:
        """Return the pseudonym."""
        return hmac.new(self.key, player_id.encode(), hashlib.sha256).hexdigest()


def export(places: Iterable[Place], subject: Subject, path: Path) -> Record:
    """Write a zip with an NDJSON file for each place and a manifest; return the manifest."""
    files: dict[str, Record] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in places:
            name, digest, count = f"{place.name.replace(' ', '-')}.ndjson", hashlib.sha256(), 0
            with archive.open(name, "w", force_zip64=True) as file:
                for record in place.find(subject):
                    line = (json.dumps(record, default=_plain, ensure_ascii=False) + "\n").encode()
                    file.write(line)
                    digest.update(line)
                    count += 1
            files[name] = {"records": count, "sha256": digest.hexdigest()}
        manifest = {
            "game_id": subject.game_id,
            "player_id": subject.player_id,
            "exported_at": timestamp(datetime.now(UTC)),
            "files": files,
        }
        archive.writestr("manifest.json", json.dumps(manifest, indent=2) + "\n")
    return manifest


def forget(places: Iterable[Place], subject: Subject, pseudonym: str, reason: str) -> Record:
    """Take a player's data away and search again; return the receipt, which names nobody.

    It can be run again, also after a crash at any step: the profile, which says since when to
    search, goes last, and each place takes away what it still finds.
    """
    started = datetime.now(UTC)
    steps: list[Record] = []
    for place in sorted(places, key=lambda place: isinstance(place, Profile)):
        begun = time.monotonic()
        deleted = place.forget(subject)
        left = sum(1 for _ in place.find(subject))
        seconds = round(time.monotonic() - begun, 1)
        steps.append({"place": place.name, "deleted": deleted, "left": left, "seconds": seconds})
    receipt = {
        "game_id": subject.game_id,
        "pseudonym": pseudonym,
        "reason": reason,
        "started_at": timestamp(started),
        "ended_at": timestamp(datetime.now(UTC)),
        "steps": steps,
        "nothing_left": not any(step["left"] for step in steps),
    }
    return receipt | {"sha256": digest_of(receipt)}


def digest_of(receipt: Record) -> str:
    """Return the hash of a receipt without its own `sha256`."""
    content = {name: value for name, value in receipt.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Receipts:
    """What was forgotten, kept beside the lake: receipts by day, and so the pseudonyms to watch for."""

    s3: "S3Client"
    bucket: str

    def keep(self, receipt: Record) -> str:
        """Store a receipt; return its key. One player's receipts of a moment replace each other."""
        moment = receipt["started_at"]
        key = f"{RECEIPTS}/game={receipt['game_id']}/day={moment[:10]}/{receipt['pseudonym']}-{moment}.json"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=json.dumps(receipt, indent=2).encode() + b"\n")
        return key

    def watched(self, game_id: str, now: datetime) -> dict[str, str]:
        """Return who was forgotten so lately that older events can still come: pseudonym to last moment."""
        first = (now - AGAIN_FOR).date()
        found: dict[str, str] = {}
        prefix = f"{RECEIPTS}/game={game_id}/day="
        for key in lake.keys(self.s3, self.bucket, prefix):
            day, _, name = key.removeprefix(prefix).partition("/")
            if date.fromisoformat(day) >= first:
                pseudonym, _, moment = name.removesuffix(".json").partition("-")
                found[pseudonym] = max(found.get(pseudonym, moment), moment)
        return found


def came_again(
    s3: "S3Client", bucket: str, game_id: str, watched: dict[str, str], pseudonyms: Pseudonyms
) -> Iterator[str]:
    """Yield the forgotten players of whom the lake got something from before they were forgotten.

    That is an event of bronze that happened before, or a reject that was received before and was
    still on its way. Torn lines tell no time and are passed over.
    """
    if not watched:
        return
    found: set[str] = set()
    name = lru_cache(maxsize=NAMES_KEPT)(pseudonyms.name)
    first = datetime.fromisoformat(min(watched.values()))
    for prefix, traces in (("bronze/", _players_of_event), ("rejected/", _players_of_reject)):
        for key in lake.keys(s3, bucket, prefix, first):
            for line in lake.raw_lines(s3, bucket, key):
                for player, moment in traces(line, game_id):
                    if player not in found and moment < watched.get(name(player), ""):
                        found.add(player)
                        yield player


def _players_of_event(line: bytes, game_id: str) -> Iterator[tuple[str, str]]:
    event = record_of(line)
    if event and event["game_id"] == game_id:
        yield event["player_id"], event["corrected_time"]


def _players_of_reject(line: bytes, game_id: str) -> Iterator[tuple[str, str]]:
    """Yield all that can be a player's id, for nobody knows where that stands in a reject."""
    reject = record_of(line)
    if reject and reject["game_id"] in (game_id, UNKNOWN_GAME):
        ids = ids_in(original_of(reject))
        if game_id in (reject["game_id"], *ids):
            yield from ((player, reject["received_at"]) for player in ids)


def _plain(value: Any) -> Any:
    """Return what JSON can say of DynamoDB's and DuckDB's values."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case Binary():
            return base64.b64encode(bytes(value)).decode()  # type: ignore[call-overload]
        case set():
            return sorted(value)
        case bytes():
            return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@dataclass(frozen=True, slots=True)
class Platform:
    """An environment's places and keys."""

    outputs: Record
    local: bool

    def places(self) -> list[Place]:
        """Return every place; on this machine silver is a directory."""
        dynamodb, s3, tables = boto3.client("dynamodb"), boto3.client("s3"), self.outputs["tables"]
        bucket = self.outputs["lake_bucket"]
        silver: Place = (
            LocalCopy(batch.DIRECTORY)
            if self.local
            else Silver(
                boto3.client("athena"), self.outputs["athena_workgroup"], self.outputs["lake_database"]
            )
        )
        return [
            BoardEntries(dynamodb, tables["leaderboards"]),
            Lines(s3, bucket, "bronze", is_event, since_first_seen=True),
            Lines(s3, bucket, "rejected", is_reject),
            Lines(s3, bucket, "errors", is_failure),
            silver,
            Profile(dynamodb, tables["players"]),
        ]

    def pseudonyms(self, game_id: str) -> Pseudonyms:
        """Return the names of a game's players."""
        return Pseudonyms.of(boto3.resource("dynamodb").Table(self.outputs["tables"]["games"]), game_id)

    def receipts(self) -> Receipts:
        """Return the receipts."""
        return Receipts(boto3.client("s3"), self.outputs["lake_bucket"])

    def forget(self, subject: Subject, reason: str) -> Record:
        """Forget one player and keep the receipt. Raises CommandError where something is left."""
        pseudonym = self.pseudonyms(subject.game_id).name(subject.player_id)
        receipt = forget(self.places(), dated(subject, self.places()), pseudonym, reason)
        key = self.receipts().keep(receipt)
        print(json.dumps(receipt, indent=2))
        if not receipt["nothing_left"]:
            raise CommandError(f"something is left, see {key}: run the same command again")
        return receipt

    def again(self, game_id: str) -> int:
        """Forget those of whom something older came since; return how many."""
        receipts, pseudonyms = self.receipts(), self.pseudonyms(game_id)
        watched = receipts.watched(game_id, datetime.now(UTC))
        players = list(came_again(receipts.s3, receipts.bucket, game_id, watched, pseudonyms))
        for player in players:
            self.forget(Subject(game_id, player), "came again")
        return len(players)


def dated(subject: Subject, places: Sequence[Place]) -> Subject:
    """Return the subject with the moment since when to search bronze, as the profile says."""
    profile = next((place for place in places if isinstance(place, Profile)), None)
    return replace(subject, since=since(next(profile.find(subject), None) if profile else None))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/privacy", description=__doc__)
    parser.add_argument("--environment", default="local", help="local, dev or prod (default: local)")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, effect in {
        "export": "write everything stored about a player to a zip",
        "forget": "delete it everywhere, and print a receipt",
        "again": "forget those of whom something older came since; run it daily for 39 days",
    }.items():
        commands.add_parser(command, help=effect).add_argument("--game", required=True)
    for command in ("export", "forget"):
        commands.choices[command].add_argument("--player", required=True)
    commands.choices["export"].add_argument("--to", type=Path, required=True, help="the zip to write")
    commands.choices["forget"].add_argument(
        "--reason", default="the player's request", help="kept in the receipt: name nobody"
    )
    return parser


def main() -> None:
    """Do what the command line says."""
    options = _parser().parse_args()
    local = options.environment == "local"
    if local:
        os.environ.update(emulator.local_environment())
    platform = Platform(terraform.outputs(terraform.root(options.environment)), local)
    try:
        match options.command:
            case "export":
                subject, places = Subject(options.game, options.player), platform.places()
                print(json.dumps(export(places, dated(subject, places), options.to), indent=2))
            case "forget":
                platform.forget(Subject(options.game, options.player), options.reason)
            case "again":
                print(f"{platform.again(options.game)} players came again and are forgotten")
    except (BotoCoreError, ClientError) as error:
        raise CommandError(str(error)) from error


if __name__ == "__main__":
    run(main)
