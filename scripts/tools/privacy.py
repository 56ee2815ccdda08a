"""Export what is stored about a player, or erase it; who is erased is searched for again by `again`."""

import argparse
import base64
import hashlib
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
from boto3.dynamodb.types import Binary
from privacy.data_stores import KEPT, DataStore, PrivacyError, Record, Subject
from privacy.erasure import EXPORTED, Erasure, Game, family, signed
from privacy.settings import Settings
from telemetry.enrichment import timestamp

from tools import CommandError, Parser, confirmed, emulator, games, gold, infrastructure, run
from tools.personal_data import LocalSilver

# Of each store, before an erasure.
SHOWN_RECORDS = 3
SHOWN_CHARACTERS = 160


def export(stores: Iterable[DataStore], subjects: Sequence[Subject], path: Path) -> Record:
    """Write a zip with an NDJSON file for each store and a manifest; return the manifest.

    The last subject is the player, those before are guests that became the player.
    """
    *linked, subject = subjects
    files: dict[str, Record] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for store in stores:
            name, digest, count = f"{store.name.replace(' ', '-')}.ndjson", hashlib.sha256(), 0
            with archive.open(name, "w", force_zip64=True) as file:
                for record in (record for one in subjects for record in store.find(one)):
                    line = (json.dumps(record, default=_plain, ensure_ascii=False) + "\n").encode()
                    file.write(line)
                    digest.update(line)
                    count += 1
            files[name] = {"records": count, "sha256": digest.hexdigest()}
        manifest = {
            "game_id": subject.game_id,
            "player_id": subject.player_id,
            "linked_player_ids": [one.player_id for one in linked],
            "exported_at": timestamp(datetime.now(UTC)),
            "files": files,
        }
        archive.writestr("manifest.json", json.dumps(manifest, indent=2) + "\n")
    return manifest


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
    """An environment's stores and keys."""

    outputs: Record
    local: bool

    def erasure(self) -> Erasure:
        """Return every store; on this machine silver is reached without Athena."""
        gold.use(self.outputs, local=self.local)
        kept = (LocalSilver(name=name, table=name, columns=columns) for name, columns in KEPT.items())
        return self.settings().erasure(*([LocalSilver(), *kept] if self.local else []))

    def game(self, game_id: str) -> Game:
        """Return what names a game's players. Raises CommandError where no game is."""
        table = boto3.resource("dynamodb").Table(self.outputs["tables"]["games"])
        return games.named(table, game_id)

    def export(self, game_id: str, player_id: str, path: Path) -> Record:
        """Write the zip and keep a receipt of who did; return the manifest.

        A file of that name is replaced only once the new archive is whole and its receipt is kept. Raises
        CommandError where no store holds anything: an empty archive would answer a mistyped id.
        """
        game, erasure = self.game(game_id), self.erasure()
        started = timestamp(datetime.now(UTC))
        # A file can be replaced in one step only by another of the same file system.
        with tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as directory:
            written = Path(directory) / path.name
            subjects = family(game, erasure.stores, player_id)
            manifest = export(erasure.stores, subjects, written)
            if not any(file["records"] for file in manifest["files"].values()):
                message = f"nothing is stored about a player {player_id!r} of {game_id}: check the id"
                raise CommandError(message)
            told = {"game_id": game_id, "pseudonym": game.name(player_id), "by": erasure.by}
            receipt = signed({**told, "started_at": started, "files": manifest["files"]})
            erasure.receipts.keep(receipt, EXPORTED)
            written.replace(path)
        return manifest

    def erase(self, game_id: str, player_id: str, reason: str) -> Record:
        """Erase a player, with the guests that became the player, and keep a receipt of each id.

        Returns the player's own. Raises CommandError where something is left.
        """
        game, erasure = self.game(game_id), self.erasure()
        subjects = family(game, erasure.stores, player_id)
        return self._complete([erasure.erase(one, game.name_of(one), reason) for one in subjects])[-1]

    def found(self, game_id: str, player_id: str) -> Iterator[str]:
        """Yield what an erasure would take, in words: records of each store, and the first of them."""
        erasure = self.erasure()
        for subject in reversed(family(self.game(game_id), erasure.stores, player_id)):
            if subject.player_id != player_id:
                yield f"{subject.player_id}, which events link with {player_id} and which goes too:"
            for store in erasure.stores:
                count, first = 0, []
                for record in store.find(subject):
                    count += 1
                    if count <= SHOWN_RECORDS:
                        first.append(json.dumps(record, default=_plain, ensure_ascii=True)[:SHOWN_CHARACTERS])
                yield f"{store.name}: {count:,} records"
                yield from (f"  {text}" for text in first)

    def again(self) -> int:
        """Erase those of whom something older came since; return how many."""
        return len(self._complete(self.erasure().again(self.settings().games())))

    def settings(self) -> Settings:
        """Return what the function is told by its environment; here are neither Athena nor a warehouse."""
        names, outputs = ("games", "players", "leaderboards", "recent_events"), self.outputs
        known = {f"{name}_table": outputs["tables"][name] for name in names}
        known["lake_bucket"] = outputs["lake_bucket"]
        if not self.local:
            known |= {name: outputs[name] for name in ("athena_workgroup", "lake_database")}
            known["warehouse_function"] = (outputs.get("warehouse") or {}).get("function", "")
        return Settings(**known)

    def _complete(self, receipts: list[Record]) -> list[Record]:
        for receipt in receipts:
            print(json.dumps(receipt, indent=2))
        if not all(receipt["nothing_left"] for receipt in receipts):
            raise CommandError("something is left: run the same command again")
        return receipts


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="scripts/privacy",
        description=__doc__,
        examples=(
            "scripts/privacy export --game my-game --player p-42 --to p-42.zip",
            'scripts/privacy erase --game my-game --player p-42 --reason "Request of 2026-01-30"',
        ),
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command, effect in {
        "export": "write everything stored about a player to a zip",
        "erase": "show what is stored, ask, delete it everywhere, and print a receipt",
        "name": "print what a game with pseudonyms stores instead of an id",
    }.items():
        of_player = commands.add_parser(command, help=effect)
        of_player.add_argument("--game", required=True)
        of_player.add_argument("--player", required=True, help="the id as the game sends it")
    commands.add_parser(
        "again", help="erase those of whom something older came since; a schedule does so daily"
    )
    commands.choices["export"].add_argument("--to", type=Path, required=True, help="the zip to write")
    commands.choices["erase"].add_argument("--yes", action="store_true", help="do not ask")
    commands.choices["erase"].add_argument(
        "--reason", default="the player's request", help="kept in the receipt: name nobody"
    )
    return parser


def main() -> None:
    """Do what the command line says."""
    options = _parser().parse_args()
    local = options.environment == "local"
    if local:
        os.environ.update(emulator.local_environment())
    platform = Platform(infrastructure.outputs(options.environment), local)
    try:
        match options.command:
            case "export":
                print(json.dumps(platform.export(options.game, options.player, options.to), indent=2))
            case "erase":
                for line in platform.found(options.game, options.player):
                    print(line, file=sys.stderr)
                if not options.yes and not confirmed("Nobody can undo this", options.player):
                    raise CommandError("nothing was erased")
                platform.erase(options.game, options.player, options.reason)
            case "name":
                print(platform.game(options.game).subject(options.player).ids[-1])
            case "again":
                print(f"{platform.again()} players came again and are erased")
    except PrivacyError as error:
        raise CommandError(str(error)) from error


if __name__ == "__main__":
    run(main)
