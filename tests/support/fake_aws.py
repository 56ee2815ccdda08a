"""Kinesis, Firehose and DynamoDB in memory, for the calls the functions make: quick, and failing as told."""

import base64
import copy
import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError, ReadTimeoutError
from processor.dedupe import Claims
from processor.pipeline import Pipeline
from processor.recent_events import RecentEvents
from processor.stats import IngestStats
from telemetry.decoding import decompress
from telemetry.games import GameRegistry
from tools.tables import KEYS

KINDS = ("refused", "refused", "throttled", "answer lost", "answer lost", "out of time")
SHARD = "shardId-000000000000"
Item = dict[str, Any]


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "not now"}}, "Write")


class OutOfTimeError(BaseException):
    """Lambda stops the function in the middle: nothing in it can catch this."""


@dataclass(slots=True)
class Luck:
    """Decides what becomes of each call: some fail unwritten, some are written and the answer is lost."""

    dice: random.Random = field(default_factory=lambda: random.Random(0))
    share: float = 0.0
    failures: Counter[str] = field(default_factory=Counter)

    def strikes(self) -> bool:
        return self.share > 0 and self.dice.random() < self.share

    def call(self, run: Callable[[], Any]) -> Any:
        if not self.strikes():
            return run()
        kind = self.dice.choice(KINDS)
        self.failures[kind] += 1
        if kind == "answer lost" or (kind == "out of time" and self.dice.random() < 0.5):
            run()
        match kind:
            case "refused":
                raise refusal("InternalServerError")
            case "throttled":
                raise refusal("ProvisionedThroughputExceededException")
            case "answer lost":
                raise ReadTimeoutError(endpoint_url="https://aws")
        raise OutOfTimeError


@dataclass(slots=True)
class Streams:
    """Kinesis and Firehose that keep what they take, by stream, as (partition key, data)."""

    luck: Luck = field(default_factory=Luck)
    refuses: Callable[[str, bytes], bool] = lambda stream, data: False
    taken: dict[str, list[tuple[str, bytes]]] = field(default_factory=lambda: defaultdict(list))

    def put_records(self, StreamName: str, Records: list[Item]) -> Item:  # noqa: N803
        assert 0 < len(Records) <= 500
        return self.luck.call(lambda: {"Records": [self._take(StreamName, **record) for record in Records]})

    def put_record_batch(self, DeliveryStreamName: str, Records: list[Item]) -> Item:  # noqa: N803
        assert 0 < len(Records) <= 500
        assert sum(len(record["Data"]) for record in Records) <= 4 * 1024 * 1024

        def write() -> Item:
            answers = [self._take(DeliveryStreamName, **record) for record in Records]
            return {"FailedPutCount": sum(map(bool, answers)), "RequestResponses": answers}

        return self.luck.call(write)

    def _take(self, stream: str, Data: bytes, PartitionKey: str = "") -> dict[str, str]:  # noqa: N803
        assert 0 < len(Data) <= 1000 * 1024
        assert len(PartitionKey) <= 256
        if self.luck.strikes() or self.refuses(stream, Data):
            self.luck.failures["one record"] += 1
            return {"ErrorCode": "ProvisionedThroughputExceededException"}
        self.taken[stream].append((PartitionKey, Data))
        return {}

    def lines(self, stream: str) -> list[Item]:
        """Return what a stream holds, unzipped, as JSON lines."""
        return [json.loads(line) for _, data in self.taken[stream] for line in decompress(data).splitlines()]


class ConditionFailedError(ClientError):
    """What botocore makes anew for each client."""


class TransactionCanceledError(ClientError):
    """What botocore makes anew for each client."""


@dataclass(slots=True)
class Unlucky:
    """A DynamoDB client or resource whose calls fail as luck will have it."""

    client: Any
    luck: Luck

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        return found if name == "exceptions" else lambda **request: self.luck.call(lambda: found(**request))


class Exceptions:
    """Those of `client.exceptions` that the functions catch."""

    ConditionalCheckFailedException = ConditionFailedError
    TransactionCanceledException = TransactionCanceledError


@dataclass(slots=True)
class Tables:
    """A low-level DynamoDB client, as far as the functions' expressions go (checked against moto)."""

    items: dict[str, dict[str, Item]] = field(default_factory=lambda: defaultdict(dict))
    exceptions: type[Exceptions] = Exceptions

    def update_item(self, **request: Any) -> Item:
        if not self._allows(request):
            found = self.items[request["TableName"]].get(_name(_key(request)), {})
            answer: Any = {"Error": {"Code": "ConditionalCheckFailed"}, "Item": copy.deepcopy(found)}
            raise ConditionFailedError(answer, "UpdateItem")
        return {"Attributes": copy.deepcopy(self._update(request))}

    def get_item(self, TableName: str, Key: Item, ConsistentRead: bool, **_: Any) -> Item:  # noqa: N803
        assert ConsistentRead
        found = self.items[TableName].get(_name(Key))
        return {"Item": copy.deepcopy(found)} if found else {}

    def put_item(self, **request: Any) -> Item:
        if not self._allows(request):
            raise ConditionFailedError({"Error": {"Code": "ConditionalCheckFailed"}}, "PutItem")
        self.items[request["TableName"]][_name(_key(request))] = copy.deepcopy(request["Item"])
        return {}

    def transact_write_items(self, TransactItems: list[dict[str, Item]]) -> Item:  # noqa: N803
        assert 0 < len(TransactItems) <= 100
        writes = [(kind, request) for item in TransactItems for kind, request in item.items()]
        if not all(self._allows(request) for _, request in writes):
            raise TransactionCanceledError({"Error": {"Code": "TransactionCanceled"}}, "TransactWriteItems")
        for kind, request in writes:
            {"Put": self.put_item, "Update": self.update_item}[kind](**request)
        return {}

    def batch_get_item(self, RequestItems: dict[str, Item]) -> Item:  # noqa: N803
        ((table, wanted),) = RequestItems.items()
        names = [_name(key) for key in wanted["Keys"]]
        found = [self.items[table][name] for name in names if name in self.items[table]]
        return {"Responses": {table: copy.deepcopy(found)}}

    def batch_write_item(self, RequestItems: dict[str, list[Item]]) -> Item:  # noqa: N803
        ((table, requests),) = RequestItems.items()
        assert 0 < len(requests) <= 25
        for item in (request["PutRequest"]["Item"] for request in requests):
            self.items[table][_name({name: item[name] for name in KEYS[table]})] = copy.deepcopy(item)
        return {}

    def rows(self, table: str) -> list[Item]:
        """Return the items of a table with plain values."""
        plain = TypeDeserializer().deserialize
        return [{name: plain(value) for name, value in item.items()} for item in self.items[table].values()]

    def _allows(self, request: Item) -> bool:
        item = self.items[request["TableName"]].get(_name(_key(request)), {})
        names, values = (
            request.get("ExpressionAttributeNames", {}),
            request.get("ExpressionAttributeValues", {}),
        )

        def holds(term: str) -> bool:
            if missing := re.fullmatch(r"attribute_not_exists\((.+)\)", term):
                return names.get(missing[1], missing[1]) not in item
            name, sign, value = term.split()
            if sized := re.fullmatch(r"size\((.+)\)", name):
                ((_, content),) = item[names[sized[1]]].items()
                return len(content) <= int(values[value]["N"])
            if names.get(name, name) not in item:
                return False
            mine, theirs = (_comparable(v) for v in (item[names.get(name, name)], values[value]))
            return mine == theirs if sign == "=" else mine < theirs

        return "ConditionExpression" not in request or any(
            all(map(holds, terms.split(" AND "))) for terms in request["ConditionExpression"].split(" OR ")
        )

    def _update(self, request: Item) -> Item:
        item = self.items[request["TableName"]].setdefault(_name(request["Key"]), dict(request["Key"]))
        names, values = request.get("ExpressionAttributeNames", {}), request["ExpressionAttributeValues"]
        before = dict(item)
        for verb, clause in re.findall(r"(SET|ADD) (.+?)(?= SET | ADD |$)", request["UpdateExpression"]):
            for term in re.split(r", ?(?![^(]*\))", clause):
                name, value = term.split(" = ") if verb == "SET" else term.split()
                name = names.get(name, name)
                if kept := re.fullmatch(r"if_not_exists\((.+), (.+)\)", value):
                    item[name] = before.get(names.get(kept[1], kept[1]), values[kept[2]])
                elif verb == "SET":
                    item[name] = values[value]
                elif "BS" in values[value]:
                    known = before.get(name, {"BS": []})["BS"]
                    item[name] = {"BS": sorted({*known, *values[value]["BS"]})}
                else:
                    item[name] = {"N": str(int(before.get(name, {"N": "0"})["N"]) + int(values[value]["N"]))}
        return item


def _key(request: Item) -> Item:
    """Return the key of an update, or of a put."""
    if "Key" in request:
        return request["Key"]
    return {name: request["Item"][name] for name in KEYS[request["TableName"]]}


def _name(key: Item) -> str:
    return json.dumps(sorted(key.items()), default=str)


def _comparable(value: Item) -> Any:
    ((kind, plain),) = value.items()
    return int(plain) if kind == "N" else plain


@dataclass(slots=True)
class Games:
    """The games table as a boto3 resource, with these games active."""

    game_ids: tuple[str, ...]

    def batch_get_item(self, RequestItems: dict[str, Item]) -> Item:  # noqa: N803
        ((table, wanted),) = RequestItems.items()
        asked = [key["game_id"] for key in wanted["Keys"] if key["game_id"] in self.game_ids]
        return {
            "Responses": {table: [{"game_id": name, "status": "active", "key_hashes": []} for name in asked]}
        }


def processor(games: Any, dynamodb: Any, streams: Streams) -> Pipeline:
    """Return the processor over these; `games` is a resource, `dynamodb` a low-level client."""
    return Pipeline(
        registry=GameRegistry(games, "games"),
        claims=Claims(dynamodb, "dedupe", window_hours=24),
        stats=IngestStats(dynamodb, "ingest_stats"),
        recent=RecentEvents(dynamodb, "recent_events"),
        kinesis=streams,
        firehose=streams,
        enriched_stream="enriched",
        bronze_delivery_stream="bronze",
        rejected_delivery_stream="rejected",
    )


def records(*data: bytes, first: int = 1, shard: str = SHARD) -> list[Item]:
    """Return what Lambda hands in; the sequence numbers count up from `first`."""
    return [
        {
            "eventID": f"{shard}:{number}",
            "kinesis": {
                "data": base64.b64encode(item).decode(),
                "sequenceNumber": str(number),
                "approximateArrivalTimestamp": time.time(),
            },
        }
        for number, item in enumerate(data, first)
    ]


def encode(event: Item) -> bytes:
    return json.dumps(event).encode()


def outcomes(rows: Iterable[Item]) -> Counter[str]:
    """Return the counters of ingest_stats, once each game's outcomes add up to what arrived."""
    told: Counter[str] = Counter()
    arrived: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for name, count in counters(rows).items():
        game, _, counter = name.partition("/")
        if counter in ("accepted", "refused_again", "withheld") or counter.startswith("rejected_"):
            found[game] += count
        if counter == "arrived":
            arrived[game] = count
        elif counter != "refused_again":
            told[name] = count
    assert found == arrived
    return told


def counters(rows: Iterable[Item]) -> Counter[str]:
    """Return the counters of a table of days over all days and shards, by "<game>/<counter>"; not by hour."""
    totals: Counter[str] = Counter()
    for row in rows:
        game = row["game_day"].partition("#")[0]
        for name, value in row.items():
            if (
                name not in ("game_day", "shard", "position", "expires_at", "updated_at")
                and name[:5] != "hour_"
            ):
                totals[f"{game}/{name}"] += int(value)
    return totals


def register(dynamodb: Any, game_id: str, **fields: str) -> None:
    """Put an active game into the games table (boto3 resource)."""
    game = {"game_id": game_id, "name": game_id.title(), "status": "active", "report_to": f"{game_id}@a.com"}
    dynamodb.Table("games").put_item(Item=game | fields)
