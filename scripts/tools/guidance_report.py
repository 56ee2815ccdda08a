"""Tell what became of events in the AWS guidance's envelope: their types now, or why they are refused."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
from rich.console import Console
from rich.table import Table
from telemetry import lake
from telemetry.guidance import KNOWN
from telemetry.sequences import GUIDANCE_SDK

from tools import CommandError, Parser, emulator, games, infrastructure, run

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# The status of a progression tells which type of the guidance it was.
PROGRESSION = {"start": "level_started", "complete": "level_completed", "fail": "level_failed"}
THEIRS = {ours: theirs for theirs, (ours, *_) in KNOWN.items() if ours != "progression"}

Line = dict[str, Any]


@dataclass(slots=True)
class Report:
    """Events by what they were, what they became, and why, each counted once by its place in the stream."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _seen: set[str] = field(default_factory=set)

    @property
    def total(self) -> int:
        """All events."""
        return self.counts.total()

    def share(self, outcome: str) -> float:
        """Return the share of an outcome: mapped, design or refused."""
        found = sum(count for (_, became, _), count in self.counts.items() if _kind(became) == outcome)
        return found / self.total if self.total else 0.0

    def accepted(self, lines: Iterable[Line], game_id: str) -> None:
        """Count lines of bronze."""
        for line in lines:
            if (
                line["game_id"] == game_id
                and line["client"].get("sdk") == GUIDANCE_SDK
                and self._is_new(line["raw_position"])
            ):
                kind, payload = line["event_type"], line["payload"]
                match kind:
                    case "design":
                        theirs = payload["name"]
                    case "progression":
                        theirs = PROGRESSION[payload["status"]]
                    case _:
                        theirs = THEIRS.get(kind, kind)
                self.counts[theirs, kind, ""] += 1

    def refused(self, lines: Iterable[Line], game_id: str) -> None:
        """Count lines of the quarantine."""
        for line in lines:
            if (
                line["envelope"] == "guidance"
                and line["game_id"] == game_id
                and self._is_new(line["reject_id"])
            ):
                why = f"{line['reason']} at {line['pointer'] or '/'}: {line['message']}"
                self.counts[_type_of(line), "refused", why] += 1

    def _is_new(self, place: str) -> bool:
        """Tell a line that was not read before: a write that is tried again can leave two."""
        is_new = place not in self._seen
        self._seen.add(place)
        return is_new


def _kind(became: str) -> str:
    return became if became in ("design", "refused") else "mapped"


def _type_of(line: Line) -> str:
    """Return the type that a refused event had, as far as its original can be read."""
    try:
        value = json.loads(line.get("original", ""))
        inner = value.get("event", value)
        return ":".join(
            dict.fromkeys(str(inner[name]) for name in ("event_type", "event_name") if name in inner)
        )
    except (ValueError, AttributeError, KeyError, TypeError):
        return "?"


def read(s3: "S3Client", bucket: str, game_id: str, days: Iterable[date]) -> Report:
    """Read the lines of bronze and of the quarantine that arrived on some UTC days."""
    report = Report()
    for day in days:
        report.accepted(_lines(s3, bucket, f"bronze/{day:%Y/%m/%d}/"), game_id)
        report.refused(_lines(s3, bucket, f"rejected/day={day}/"), game_id)
    return report


def _lines(s3: "S3Client", bucket: str, prefix: str) -> Iterator[Line]:
    for key in lake.keys(s3, bucket, prefix):
        yield from lake.lines(s3, bucket, key)


def show(report: Report) -> None:
    """Print the report, the most frequent first."""
    table = Table(title="Events in the guidance's envelope")
    for column in ("Guidance", "Became", "Why"):
        table.add_column(column)
    table.add_column("Events", justify="right")
    table.add_column("Share", justify="right")
    for (theirs, became, why), count in report.counts.most_common():
        table.add_row(theirs, became, why, f"{count:,}", f"{count / report.total:.1%}")
    console = Console()
    console.print(table)
    parts = ", ".join(f"{name} {report.share(name):.1%}" for name in ("mapped", "design", "refused"))
    console.print(f"{report.total:,} events: {parts}", highlight=False)


def main() -> None:
    """Report on some days of a game."""
    parser = Parser(
        prog="scripts/guidance-report",
        description=__doc__,
        examples=("scripts/guidance-report --game my-game --from 2026-01-30 --to 2026-01-31",),
    )
    today = datetime.now(UTC).date()
    parser.add_argument("--game", required=True, help="the game, which is the application id")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, default=today, metavar="DAY",
                        help="first UTC day of arrival (default: today)")  # fmt: skip
    parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="DAY",
                        help="last UTC day of arrival (default: the first)")  # fmt: skip
    options = parser.parse_args()
    if options.environment == "local":
        os.environ.update(emulator.local_environment())
    outputs = infrastructure.outputs(options.environment)
    games.require(outputs, options.game)
    count = ((options.last or options.first) - options.first).days + 1
    if count < 1:
        raise CommandError("--to is before --from")
    days = [options.first + timedelta(days=n) for n in range(count)]
    report = read(boto3.client("s3"), outputs["lake_bucket"], options.game, days)
    if not report.total:
        raise CommandError("no event in the guidance's envelope arrived: Firehose writes within five minutes")
    show(report)


if __name__ == "__main__":
    run(main)
