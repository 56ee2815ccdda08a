"""A Kinesis stream that was split, in memory: it notes each call and refuses some records, as AWS does."""

import base64
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = dict[str, Any]
LAST_HASH = 2**128 - 1


@dataclass
class Shard:
    """A shard with all its records. A shard with children is closed."""

    records: list[bytes]
    first_hash: int = 0
    last_hash: int = LAST_HASH
    parent: str = ""
    closed: bool = False


@dataclass
class FakeKinesis:
    """Answers the connector's calls; `calls` are their moments, actions and shards in order."""

    shards: dict[str, Shard]
    written: list[bytes] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    calls: list[tuple[float, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen on a free port."""
        self.lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with fake.lock:
                    body = json.dumps(
                        fake.answer(self.headers["X-Amz-Target"].split(".")[1], request)
                    ).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, action: str, request: Answer) -> Answer:
        """Answer one call."""
        iterator = json.loads(request.get("ShardIterator", "null"))
        self.calls.append((time.time(), action, request.get("ShardId", iterator and iterator[0])))
        match action:
            case "ListShards":
                return {"Shards": [self._described(name, shard) for name, shard in self.shards.items()]}
            case "GetShardIterator":
                start = request.get("StartingSequenceNumber")
                return {"ShardIterator": json.dumps([request["ShardId"], int(start) + 1 if start else 0])}
            case "GetRecords":
                name, first = iterator
                return self._records(name, first, request["Limit"])
            case _:
                return self._put(request["Records"])

    def _described(self, name: str, shard: Shard) -> Answer:
        numbers = {"StartingSequenceNumber": "0"}
        if shard.closed:
            numbers["EndingSequenceNumber"] = str(len(shard.records))
        hashes = {"StartingHashKey": str(shard.first_hash), "EndingHashKey": str(shard.last_hash)}
        parent = {"ParentShardId": shard.parent} if shard.parent else {}
        return {"ShardId": name, "HashKeyRange": hashes, "SequenceNumberRange": numbers, **parent}

    def _records(self, name: str, first: int, limit: int) -> Answer:
        shard = self.shards[name]
        end = min(first + limit, len(shard.records))
        records = [
            {
                "Data": base64.b64encode(shard.records[at]).decode(),
                "SequenceNumber": str(at),
                "PartitionKey": "a",
            }
            for at in range(first, end)
        ]
        ended = shard.closed and end == len(shard.records)
        following = {} if ended else {"NextShardIterator": json.dumps([name, end])}
        return {"Records": records, "MillisBehindLatest": 0, **following}

    def _put(self, records: list[Answer]) -> Answer:
        """Refuse every third record of the first batch that has three."""
        refuses = len(records) >= 3 and max(self.batches, default=0) < 3
        self.batches.append(len(records))
        results = []
        for number, record in enumerate(records):
            if refuses and number % 3 == 2:
                results.append({"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": ""})
            else:
                self.written.append(base64.b64decode(record["Data"]))
                results.append({"SequenceNumber": "0", "ShardId": "shardId-000000000000"})
        return {"FailedRecordCount": sum("ErrorCode" in result for result in results), "Records": results}
