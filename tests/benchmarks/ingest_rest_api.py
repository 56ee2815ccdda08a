"""How many events a second the REST API takes on one core, beside a handler that looks at nothing.

The function's own handler gets what API Gateway hands over, with a stream that takes everything. The handler
beside it unpacks the body, puts it into the same stream as one record, and answers.
"""

import base64
import json
import os
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
from measured import keep, repeated
from processor_speed import played
from rich.console import Console
from rich.table import Table

os.environ |= {
    "AWS_DEFAULT_REGION": "us-east-1",
    "GAMES_TABLE": "games",
    "LIMITS": '{"events_a_day": 1000000000, "events_a_minute": 1000000000}',
    "POWERTOOLS_METRICS_NAMESPACE": "benchmarks",
    "POWERTOOLS_SERVICE_NAME": "benchmarks",
    "QUOTAS_TABLE": "quotas",
    "RAW_STREAM": "raw",
}

from ingest import handler
from ingest.publisher import Publisher
from telemetry.key_classes import client_types
from telemetry.quotas import Quotas

EVENTS, ROUNDS = 6_000, 4


class Stream:
    """Takes every record."""

    def put_records(self, StreamName: str, Records: list[Any]) -> dict[str, Any]:  # noqa: N803 - boto3's names
        return {"Records": [{"SequenceNumber": "1"} for _ in Records]}


class Registry:
    """Remembers every game as one that need not sign, as the function does for 30 seconds."""

    def get(self, game_id: str) -> dict[str, Any]:
        return {"game_id": game_id, "status": "active"}


class QuotaTable:
    """Counts units as the table of quotas does, in memory."""

    def __init__(self) -> None:
        self.used: Counter[str] = Counter()

    def update_item(self, Key: Any, ExpressionAttributeValues: Any, **_: Any) -> dict[str, Any]:  # noqa: N803
        name = Key["quota"]["S"]
        self.used[name] += int(ExpressionAttributeValues[":count"]["N"])
        return {"Attributes": {"used": {"N": str(self.used[name])}}}


def requests(together: int) -> list[dict[str, Any]]:
    """Return what API Gateway hands over for requests of so many events, NDJSON in base64.

    They come with a client key, which may not send every type that a game has.
    """
    sent = [event for event in played(2 * EVENTS) if event["event_type"] in client_types()]
    lines = [orjson.dumps(event) for event in sent[:EVENTS]]
    return [
        {
            "body": base64.b64encode(b"\n".join(lines[start : start + together])).decode(),
            "isBase64Encoded": True,
            "headers": {"content-type": "application/x-ndjson", "user-agent": "game/1.4"},
            "pathParameters": None,
            "requestContext": {"authorizer": {"game_id": "a-game-with-a-name", "must_sign": "false"}},
        }
        for start in range(0, EVENTS, together)
    ]


def idle(event: dict[str, Any]) -> dict[str, Any]:
    """Take a body unseen."""
    Stream().put_records("raw", [{"Data": base64.b64decode(event["body"]), "PartitionKey": "a"}])
    return {"statusCode": 202, "body": json.dumps({"accepted": 1, "results": []})}


def rate(run: Callable[[dict[str, Any]], dict[str, Any]], bodies: list[dict[str, Any]]) -> float:
    """Return events a second, the best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        statuses = {run(body)["statusCode"] for body in bodies}
        best = min(best, time.process_time() - start)
        if statuses != {202}:
            raise SystemExit(f"every request of this run is good, but: {statuses}")
    return EVENTS / best


def quietly(event: dict[str, Any]) -> dict[str, Any]:
    """Call the handler; its lines of metrics go nowhere."""
    answer: dict[str, Any] = handler.lambda_handler(event, None)
    return answer


def stand_alone() -> None:
    """Give the handler tables and a stream in memory."""
    handler.publisher = lambda: Publisher(Stream(), "raw")  # type: ignore[assignment]
    handler.registry = Registry  # type: ignore[assignment]
    quotas = Quotas(QuotaTable(), "quotas")  # type: ignore[arg-type]
    handler.quotas = lambda: quotas  # type: ignore[assignment]


def main() -> None:
    """Print the table of docs/performance.md."""
    stand_alone()
    table = Table(
        "Events a request", "ingest, events/s", "requests/s", "idle handler, events/s", "ingest ÷ it"
    )
    terminal, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    results = {}
    for together in (1, 12, 100, 500):
        bodies = requests(together)
        os.dup2(nowhere, 1)
        ours, theirs = (repeated(lambda run=run, bodies=bodies: rate(run, bodies)) for run in (quietly, idle))
        os.dup2(terminal, 1)
        results[together] = {"ingest": ours, "idle": theirs}
        ratio = f"{ours.median / theirs.median:.2f}"
        table.add_row(str(together), ours.text(), f"{ours.median / together:,.0f}", theirs.text(), ratio)
    keep("ingest_rest_api", results)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
