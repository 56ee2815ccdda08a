"""How many events the nightly search for erased players reads in the time that its function has.

.venv/bin/python tests/benchmarks/search_speed.py: CPU time, so that a busy machine does not tell.
"""

import gzip
import json
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from privacy.erasure import Game, Watch, late_arrivals

EVENTS, PLAYERS, ERASED = 200_000, 20_000, 1_000
EVENT = json.loads(
    (
        Path(__file__).parents[2] / "event-schemas/purchase/examples/purchase.1-0-0.typical.pass.json"
    ).read_text()
)
OLD, MOMENT = "2026-01-31T12:00:00.000Z", "2026-02-01T12:00:00.000Z"


class OneObject:
    """An S3 client of a lake that got one object of bronze, and nothing in the quarantine."""

    def __init__(self) -> None:
        players = (*(f"p-{n % PLAYERS}" for n in range(EVENTS - 1)), "gone-0")
        lines = (EVENT | {"player_id": player, "corrected_time": OLD} for player in players)
        self.body = gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode(), 6)

    def get_paginator(self, _: str) -> "OneObject":
        return self

    def paginate(self, Prefix: str, **_: Any) -> list[Any]:  # noqa: N803
        version = {"VersionId": "1", "IsLatest": True, "ETag": "1", "LastModified": datetime.now(UTC)}
        return [{"Versions": [{"Key": "bronze/1", **version}]}] if Prefix == "bronze/" else [{}]

    def download_fileobj(self, bucket: str, key: str, file: Any, **_: Any) -> None:
        file.write(self.body)


def main() -> None:
    """Search one object for players of whom one comes again, in its last line."""
    s3, game = OneObject(), Game(EVENT["game_id"], secrets.token_bytes(32))
    watch = Watch(game, {game.name(f"gone-{n}"): MOMENT for n in range(ERASED)})
    began = time.process_time()
    found = list(late_arrivals(s3, "lake", {game.game_id: watch}, datetime(2026, 1, 1, tzinfo=UTC)))  # type: ignore[arg-type]
    milliseconds = 1000 * (time.process_time() - began) / EVENTS
    assert [subject.player_id for subject, _ in found] == ["gone-0"]
    print(f"{1000 * milliseconds:.1f} µs an event, {900_000 / milliseconds / 1e6:.0f} M events in 15 minutes")


if __name__ == "__main__":
    main()
