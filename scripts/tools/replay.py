"""Send quarantined events again that are valid by now, or once repaired; a second run changes nothing."""

import base64
import gzip
import json
import os
import zlib
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import uuid4

import boto3
import jsonpatch
import jsonpointer
import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from telemetry import envelopes, guidance, lake
from telemetry.decoding import parse
from telemetry.delivery import Entry, put_records
from telemetry.enrichment import enrich, timestamp
from telemetry.games import GameRegistry
from telemetry.ingest_batch import Envelope, IngestBatch, pack
from telemetry.key_classes import ClientLimits, KeyClass
from telemetry.origin import Origin
from telemetry.pseudonyms import Pseudonyms, Unopened, original_of
from telemetry.rejection import Reason, Rejection
from telemetry.validation import validate

from tools import CommandError, Parser, emulator, games, infrastructure, run

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient
    from mypy_boto3_s3.client import S3Client

# Every line that is read has one of these outcomes; those that were not judged say why.
OUTCOMES = (
    "replayed",
    "replayed before",
    "rejected still",
    "not sent",
    "copy of a line",
    "of another game",
    "of no known game",
    "not asked for",
    "accepted once",
    "unreadable",
)
# A duplicate was accepted once: there is nothing to send again.
REASONS = [reason.value for reason in Reason if reason is not Reason.DUPLICATE]
EVENTS_A_WRITE = 500
# What the library raises beside its own errors, for values that a patch was not made for.
UNFIT = (AttributeError, LookupError, RecursionError, TypeError, ValueError)
UNKNOWN_GAME = "unknown"

console = Console()
Line = dict[str, Any]
GameId = Annotated[str, msgspec.Meta(min_length=1, max_length=63)]


class Reject(msgspec.Struct):
    """What a replay needs of a line of the quarantine (event-schemas/common/rejected).

    A field with a default may be missing: it then has the value with the fewest rights.
    """

    reject_id: Annotated[str, msgspec.Meta(min_length=1)]
    game_id: GameId
    received_at: str
    ingest_source: Literal["rest", "stream"] = "rest"
    key_class: KeyClass = "client"
    envelope: Envelope = "native"
    country: str | None = None
    bot: bool = False
    truncated: bool = False
    original: str | msgspec.UnsetType = msgspec.UNSET
    original_base64: str | msgspec.UnsetType = msgspec.UNSET
    original_sealed: str | msgspec.UnsetType = msgspec.UNSET
    sealed_for: GameId | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        """Refuse what could not be judged as of its arrival, and bytes that are none."""
        IngestBatch(self.game_id, self.received_at, None, [])
        kept = [
            each
            for each in (self.original, self.original_base64, self.original_sealed)
            if each is not msgspec.UNSET
        ]
        if len(kept) != 1 or (self.original_sealed is msgspec.UNSET) != (self.sealed_for is msgspec.UNSET):
            raise ValueError("it does not hold what was sent once, and sealed where it names whose key")
        if self.original is msgspec.UNSET:
            base64.b64decode(str(kept[0]))


_reject = msgspec.json.Decoder(Reject)


@dataclass(slots=True)
class Report:
    """What became of the lines, by the reason they were rejected for; and why some were not replayed."""

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    still: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str, outcome: str) -> None:
        """Count one line by one of OUTCOMES."""
        self.outcomes.setdefault(reason, Counter())[outcome] += 1

    def total(self, outcome: str) -> int:
        """Return the lines with an outcome, over all reasons."""
        return sum(counts[outcome] for counts in self.outcomes.values())


@dataclass(slots=True)
class Replay:
    """A run over the quarantine of a lake.

    A ledger beside it (replayed/day=…/) names each reject that was sent. Between the two, a crash
    can have an event sent again: the processor then finds its event_id claimed and drops it.
    """

    s3: "S3Client"
    kinesis: "KinesisClient"
    registry: GameRegistry
    bucket: str
    stream: str
    patch: jsonpatch.JsonPatch | None = None
    dry_run: bool = False
    game: str | None = None
    report: Report = field(default_factory=Report)
    run_id: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:8]}")
    _writes: int = 0

    def run(self, days: Sequence[date], reasons: Sequence[str]) -> Report:
        """Go through the rejects of the days (UTC, by arrival), and send what is valid now.

        Lines of other reasons are counted only.
        """
        for day in days:
            known, seen = self._ledger(day), set[str]()
            objects = list(lake.keys(self.s3, self.bucket, below := f"rejected/day={day}/"))
            pending: list[tuple[Entry, Line]] = []
            with Progress(console=console, transient=True) as progress:
                for key in progress.track(objects, description=str(day)):
                    for line in self._lines(key, key.removeprefix(f"{below}reason=").partition("/")[0]):
                        if left_out := self._left_out(line, reasons):
                            self.report.add(line["reason"], left_out)
                            continue
                        pending += self._judge(line, known, seen)
                        if len(pending) >= EVENTS_A_WRITE:
                            self._send(day, pending)
                            pending = []
            self._send(day, pending)
        return self.report

    def _lines(self, key: str, reason: str) -> Iterator[Line]:
        """Yield the lines of an object of rejects; count those that cannot be read, and go on."""
        try:
            for raw in lake.raw_lines(self.s3, self.bucket, key):
                if not raw.strip():
                    continue
                try:
                    yield msgspec.to_builtins(_reject.decode(raw)) | {"reason": reason}
                except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
                    self._unreadable(reason, f"a line is no reject: {error}")
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            # One line at least, and nobody can tell how many.
            self._unreadable(reason, f"an object ends early or is broken: {error}")

    def _unreadable(self, reason: str, why: str) -> None:
        self.report.add(reason, "unreadable")
        self.report.still[why[:160]] += 1

    def _left_out(self, line: Line, reasons: Container[str]) -> str | None:
        """Return why a line is not judged: it is of another game or reason."""
        if self.game is not None and (game := named_game(line)) != self.game:
            return "of no known game" if game in (None, UNKNOWN_GAME) else "of another game"
        if line["reason"] == Reason.DUPLICATE:
            return "accepted once"
        return None if line["reason"] in reasons else "not asked for"

    def _judge(self, line: Line, known: set[str], seen: set[str]) -> Iterator[tuple[Entry, Line]]:
        """Yield what is to be sent; `known` was sent by runs before, `seen` was met by this one."""
        if line["reject_id"] in known:
            self.report.add(line["reason"], "replayed before")
            return
        if line["reject_id"] in seen:
            self.report.add(line["reason"], "copy of a line")
            return
        seen.add(line["reject_id"])
        try:
            entry = repaired(line, self.registry, self.patch)
        except Rejection as rejection:
            self.report.add(line["reason"], "rejected still")
            for error in rejection.errors:
                self.report.still[f"{rejection.reason} {error.pointer}: {error.message[:120]}"] += 1
            return
        yield entry, line

    def _send(self, day: date, pending: Sequence[tuple[Entry, Line]]) -> None:
        failed: set[int] = set()
        if pending and not self.dry_run:
            failed = put_records(self.kinesis, self.stream, [entry for entry, _ in pending])
            self._remember(day, [line for i, (_, line) in enumerate(pending) if i not in failed])
        for index, (_, line) in enumerate(pending):
            self.report.add(line["reason"], "not sent" if index in failed else "replayed")

    def _ledger(self, day: date) -> set[str]:
        """Return the rejects that were sent; without all of them, some would be sent again."""
        found: set[str] = set()
        for key in lake.keys(self.s3, self.bucket, f"replayed/day={day}/"):
            try:
                found |= {line["reject_id"] for line in lake.lines(self.s3, self.bucket, key)}
            except (ValueError, TypeError, KeyError, EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise CommandError(f"s3://{self.bucket}/{key} is broken: {error!r}") from None
        return found

    def _remember(self, day: date, lines: Sequence[Line]) -> None:
        now = timestamp(datetime.now(UTC))
        rows = [{"reject_id": line["reject_id"], "replayed_at": now} for line in lines]
        body = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())
        self._writes += 1
        key = f"replayed/day={day}/{self.run_id}-{self._writes:06}.ndjson.gz"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)


def named_game(line: Line) -> str | None:
    """Return the game a reject belongs to; one that was not registered is named by the event itself.

    None where nobody can tell.
    """
    if line["game_id"] != UNKNOWN_GAME or "sealed_for" in line:
        return str(line.get("sealed_for", line["game_id"]))
    value = parse(original_of(line, None)).value
    game = value.get("game_id", value.get("application_id")) if isinstance(value, dict) else None
    return game if isinstance(game, str) and 0 < len(game) <= guidance.MAX_GAME else None


def repaired(line: Line, registry: GameRegistry, patch: jsonpatch.JsonPatch | None) -> Entry:
    """Return the stream record of a quarantined event, judged as if it came at the time it did.

    `patch` (RFC 6902) is applied to the event as the client sent it; its `test` operations choose.
    Raises Rejection where the event is not valid, or not all of it was kept.
    """
    if line["truncated"]:
        raise Rejection(Reason.TOO_LARGE, "only the start of it was kept")
    sealed_for = line.get("sealed_for")
    try:
        raw = original_of(line, Pseudonyms.held(registry.get(sealed_for)) if sealed_for else None)
    except (Unopened, ValueError) as error:
        raise Rejection(Reason.INTERNAL_ERROR, str(error)) from None
    sent = parse(raw)
    if sent.rejection:
        raise sent.rejection
    value = sent.value
    if patch:
        value = _patched(value, patch)
        raw = json.dumps(value, separators=(",", ":")).encode()
    received_at = datetime.fromisoformat(line["received_at"])
    key_game = (
        line["game_id"] if line["ingest_source"] == "rest" and line["game_id"] != UNKNOWN_GAME else None
    )
    if line["envelope"] != "native":
        # On the stream the event names its game itself; a key names that of the others.
        key_game = key_game or (named_game(line) if line["ingest_source"] == "stream" else None)
        if not key_game:
            raise Rejection(Reason.UNKNOWN_GAME, "its key belonged to no active game")
        rules = guidance.Rules.of(registry.get(key_game), line["key_class"])
        value = envelopes.translate(line["envelope"], value, key_game, received_at, rules)
    event = validate(value)
    if key_game not in (None, event["game_id"]):
        raise Rejection(Reason.WRONG_GAME, f"the key belongs to {key_game}", "/game_id")
    if not registry.active([event["game_id"]]):
        raise Rejection(Reason.UNKNOWN_GAME, "the game is not registered or disabled", "/game_id")
    key_class = line["key_class"]
    if key_class == "client":
        ClientLimits.of(registry.get(event["game_id"]) or {}).check(event)
    enrich(event, Origin(received_at, "replay", line["country"], line["bot"], key_class))
    batch = IngestBatch(
        game_id=event["game_id"],
        received_at=line["received_at"],
        country=line["country"],
        events=[raw],
        envelope=line["envelope"],
        bot=line["bot"],
        replay=True,
        key_class=key_class,
    )
    return Entry(f"{event['game_id']}/{event['player_id']}", pack(batch))


def _patched(value: Any, patch: jsonpatch.JsonPatch) -> Any:
    try:
        return patch.apply(value)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, *UNFIT) as error:
        raise Rejection(Reason.SCHEMA_VIOLATION, f"the patch does not fit: {error}") from None


def read_patch(path: Path) -> jsonpatch.JsonPatch:
    """Return the patch of a file. Raises CommandError where it is none."""
    try:
        return jsonpatch.JsonPatch(json.loads(path.read_bytes()))
    except (OSError, ValueError, jsonpatch.JsonPatchException) as error:
        raise CommandError(f"{path} is no JSON Patch (RFC 6902): {error}") from None


def _show(report: Report, dry_run: bool) -> None:
    names = [name for name in OUTCOMES if name in OUTCOMES[:4] or report.total(name)]
    table = Table(title="Dry run: nothing was sent" if dry_run else "Replayed")
    table.add_column("Rejected for")
    for name in names:
        title = "would be replayed" if dry_run and name == "replayed" else name
        table.add_column(title, justify="right")
    for reason, counts in sorted(report.outcomes.items()):
        table.add_row(reason, *(f"{counts[name]:,}" for name in names))
    console.print(table if report.outcomes else "No rejects in these days.")
    for message, count in report.still.most_common(5):
        console.print(f"{count:>8,} × {message}", markup=False)  # noqa: RUF001 - a times sign


def main() -> None:
    """Replay what the command line names and tell what became of it."""
    parser = Parser(
        prog="scripts/replay",
        description=__doc__,
        examples=(
            "scripts/replay --from 2026-01-30 --to 2026-01-31 --reason unknown_schema --dry-run",
            "scripts/replay --from 2026-01-30 --to 2026-01-31 --patch repair.json --report report.json",
        ),
    )
    parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    parser.add_argument("--reason", action="append", choices=REASONS, help="repeatable (default: all)")
    parser.add_argument("--game", help="only this game's (default: all)")
    parser.add_argument("--patch", type=Path, help="JSON Patch (RFC 6902) that repairs each event")
    parser.add_argument("--dry-run", action="store_true", help="judge and report, send nothing")
    parser.add_argument("--report", type=Path, help="also write the report to this file, as JSON")
    options = parser.parse_args()
    if options.first > options.last:
        parser.error("--from is after --to")
    patch = read_patch(options.patch) if options.patch else None
    if options.report:
        # Who cannot have the report must hear of it before anything is sent.
        options.report.touch()
    if options.environment == "local":
        os.environ.update(emulator.local_environment())
    outputs = infrastructure.outputs(options.environment)
    if options.game:
        games.require(outputs, options.game)
    days = [options.first + timedelta(n) for n in range((options.last - options.first).days + 1)]
    replay = Replay(
        s3=boto3.client("s3"),
        kinesis=boto3.client("kinesis"),
        registry=GameRegistry(boto3.resource("dynamodb"), outputs["tables"]["games"]),
        bucket=outputs["lake_bucket"],
        stream=outputs["raw_stream_name"],
        patch=patch,
        dry_run=options.dry_run,
        game=options.game,
    )
    report = replay.run(days, options.reason or REASONS)
    _show(report, options.dry_run)
    if options.report:
        content = {"dry_run": options.dry_run, "outcomes": report.outcomes, "rejected_still": report.still}
        options.report.write_text(json.dumps(content, indent=2) + "\n")
    if lost := report.total("not sent"):
        raise CommandError(f"the stream did not take {lost} events: run the same command again")


if __name__ == "__main__":
    run(main)
