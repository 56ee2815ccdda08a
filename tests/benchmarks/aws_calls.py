"""What a call of AWS costs a function's CPU: boto3 builds, signs and reads it, and nothing goes over a wire.

Runs the processor's claims and player_state's transactions through real clients whose answers are canned
just before the network. Says how long an event takes with them, by how many events of a player come
together: what the cost model adds to the functions' own work.
"""

import base64
import os
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from botocore.awsrequest import AWSResponse
from player_state.players import PlayerStore
from player_state_writes import Crowd, Meter
from processor.arrival import Arrival
from processor.dedupe import Claims
from rich.console import Console
from rich.table import Table
from telemetry import clients
from telemetry.origin import Origin

PLAYERS, ROUNDS = 50, 12
os.environ |= {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_SECRET_ACCESS_KEY": "none",
}


class Body:
    """A response's raw stream."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def stream(self, **_: Any) -> Any:
        yield self.data


def client(answer: Any) -> Any:
    """Return a DynamoDB client whose calls are answered by `answer(body)` instead of the network."""
    made = clients.client("dynamodb")

    def respond(request: Any, **_: Any) -> AWSResponse:
        data = orjson.dumps(answer(orjson.loads(request.body)))
        return AWSResponse(request.url, 200, {"content-type": "application/x-amz-json-1.0"}, Body(data))

    made.meta.events.register("before-send.dynamodb", respond)
    return made


def claims_ms(together: int) -> float:
    """Return CPU milliseconds an event of claiming ids, DynamoDB's answer in full included."""

    def claimed(body: dict[str, Any]) -> dict[str, Any]:
        names, values = body["ExpressionAttributeNames"], body["ExpressionAttributeValues"]
        return {"Attributes": {name: values[":" + alias[1:]] for alias, name in names.items()}}

    claims, now = Claims(client(claimed), "dedupe", 48), datetime.now(UTC)
    sessions = [str(uuid.uuid4()) for _ in range(PLAYERS)]
    batch = [
        Arrival(str(n), 0, Origin(now, "stream"), b"", event={
            "game_id": "a-game", "session_id": session, "sequence": n, "event_id": str(uuid.uuid4())
        })
        for session in sessions
        for n in range(together)
    ]  # fmt: skip
    return _best(lambda: claims.duplicates(batch)) / len(batch)


def state_ms(together: int) -> float:
    """Return CPU milliseconds an event of reading, changing and writing players with a full history."""
    meter, start = Meter(), datetime.now(UTC) - timedelta(hours=1)
    played = list(Crowd("new", PLAYERS, together).batches(288 + together, start))
    for batch in played[:-1]:
        PlayerStore(meter, "players", "game_days").apply(batch, "shardId-000000000001")
    known = [item for (table, *_), item in meter.items.items() if table == "players"]

    def answered(body: dict[str, Any]) -> dict[str, Any]:
        return {"Responses": {"players": readable}} if "RequestItems" in body else {}

    readable = [_json(item) for item in known]
    store = PlayerStore(client(answered), "players", "game_days")
    return _best(lambda: store.apply(played[-1], "shardId-000000000001")) / (PLAYERS * together)


def _json(item: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value
        for name, value in item.items()
    }


def _best(run: Any) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best * 1000


def main() -> None:
    """Print the table of docs/performance.md."""
    table = Table("Events of a player together", "Claims: ms an event", "Player state: ms an event")
    for together in (1, 4, 12, 24, 48):
        table.add_row(str(together), f"{claims_ms(together):.3f}", f"{state_ms(together):.3f}")
    Console(width=100).print("CPU of calls to DynamoDB, without the network", table)


if __name__ == "__main__":
    main()
