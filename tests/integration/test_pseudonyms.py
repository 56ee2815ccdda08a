"""A game with pseudonyms on the emulator: its ids lie nowhere, and its players can be erased."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import jsonpatch
import pytest
from steps import eventually, replay
from telemetry.decoding import GZIP_MAGIC
from tools import games, privacy
from tools.simulate import lake_lines

pytestmark = pytest.mark.integration

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def emulated(applied: Any) -> Iterator[None]:
    """Lift the bucket's policy: the emulator speaks HTTP."""
    s3, bucket = boto3.client("s3"), applied.platform.outputs["lake_bucket"]
    kept = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    yield
    s3.put_bucket_policy(Bucket=bucket, Policy=kept)


def everything(applied: Any) -> str:
    """All that is stored: every table, every version of each object, every log."""
    outputs, found = applied.platform.outputs, []
    dynamodb, s3, logs = boto3.client("dynamodb"), boto3.client("s3"), boto3.client("logs")
    for table in outputs["tables"].values():
        pages = dynamodb.get_paginator("scan").paginate(TableName=table)
        found += [str(page["Items"]) for page in pages]
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=outputs["lake_bucket"]):
        for version in page.get("Versions", []):
            chosen = {"Key": version["Key"], "VersionId": version["VersionId"]}
            body = s3.get_object(Bucket=outputs["lake_bucket"], **chosen)["Body"].read()
            text = gzip.decompress(body) if body.startswith(GZIP_MAGIC) else body
            found.append(version["Key"] + text.decode(errors="replace"))
    for group in logs.describe_log_groups()["logGroups"]:
        events = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        found += [event["message"] for page in events for event in page["events"]]
    return "\n".join([*found, applied.emulator.log.read_text(errors="replace")])


def test_the_id_lies_nowhere_is_replayed_as_one_and_erased(applied: Any, emulated: None) -> None:
    outputs = applied.platform.outputs
    table, plan = games.registry(outputs)
    game_id, raw = f"veiled-{uuid4().hex[:8]}", f"raw-{uuid4().hex}"
    key = games.add_game(table, game_id, "Veiled", plan, pseudonyms=True)
    platform = privacy.Platform(outputs, local=True)
    stored = platform.game(game_id).subject(raw).ids[-1]

    def score(sequence: int) -> dict[str, Any]:
        payload = {"leaderboard": "global", "score": 7, "extra": {"friend": raw}}
        known = {"game_id": game_id, "player_id": raw, "sequence": sequence, "payload": payload}
        return dict(applied.event("score_submitted", **known))

    good, broken = [score(0), score(1)], [score(-1), score(-2)]
    bodies = [json.dumps(event).encode() for event in (good[0], broken[0])]
    torn = f'{{"player_id": "{raw}", "pay'.encode()
    answer = applied.post(b"\n".join([*bodies, torn]), key, **{"content-type": "application/x-ndjson"})
    assert answer.status_code == 207
    for body in (json.dumps(good[1]).encode(), json.dumps(broken[1]).encode(), torn):
        applied.put(body, f"{game_id}/{raw}")

    def bronze() -> list[dict[str, Any]]:
        lines = lake_lines(applied.platform, "bronze/", BEGINNING)
        return [line for line in lines if line["game_id"] == game_id]

    def rejected() -> list[dict[str, Any]]:
        lines = lake_lines(applied.platform, "rejected/", BEGINNING)
        return [line for line in lines if line.get("sealed_for") == game_id]

    eventually(lambda: len(bronze()) == 2)
    eventually(lambda: len(rejected()) == 4)
    profile = f"/v1/games/{game_id}/players/{stored}"
    api = applied.platform.api
    eventually(lambda: api.get(profile).status_code == 200)
    board = api.get(f"/v1/games/{game_id}/leaderboards/global").json()["entries"]
    assert [entry["player_id"] for entry in board] == [stored]
    found = everything(applied)
    assert stored in found
    assert raw not in found

    patch = jsonpatch.JsonPatch([{"op": "replace", "path": "/sequence", "value": 5}])
    for outcome in ("replayed", "replayed before"):
        assert replay(applied, game_id, patch, ["schema_violation"]).total(outcome) == 2
    eventually(lambda: len(bronze()) == 4)
    assert {line["player_id"] for line in bronze()} == {stored}
    assert raw not in everything(applied)

    receipt = platform.erase(game_id, raw, "asked")
    deleted = {step["store"]: step["deleted"] for step in receipt["steps"]}
    assert (deleted["profile"], deleted["leaderboards"], deleted["bronze"], deleted["rejected"]) == (
        1,
        1,
        4,
        4,
    )
    assert api.get(profile).status_code == 404

    late = applied.event(game_id=game_id, player_id=raw, event_time=good[0]["event_time"])
    assert applied.post(json.dumps(late).encode(), key).status_code == 202
    eventually(lambda: bronze() and api.get(profile).status_code == 200)
    night = {"FunctionName": outputs["scheduled_functions"]["erasure"], "Payload": b"{}"}
    said = boto3.client("lambda").invoke(**night)
    payload = said["Payload"].read()
    assert "FunctionError" not in said, payload
    assert json.loads(payload) == {"erased": 1}
    assert (bronze(), api.get(profile).status_code) == ([], 404)
