"""What REST API and stream answer, and what becomes of what they are given, with IAM enforced."""

import base64
import gzip
import hashlib
import hmac
import json
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import botocore.session
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from steps import eventually
from tools import games
from tools.progress import STILL_SECONDS
from tools.simulate import lake_lines

pytestmark = pytest.mark.integration

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def quarantined(applied: Any, **fields: Any) -> dict[str, Any]:
    """Wait for the quarantine's line with these fields."""

    def find() -> dict[str, Any] | None:
        lines = lake_lines(applied.platform, "rejected/", BEGINNING)
        return next((line for line in lines if fields.items() <= line.items()), None)

    return eventually(find)


def test_nothing_is_lost_and_duplicates_count_once(applied: Any) -> None:
    player = "p-nothing-lost"
    good = [applied.event("session_start", player_id=player) for _ in range(20)]
    bad = [applied.event("purchase", player_id=player) for _ in range(5)]
    twice = [*good[:7], *bad[:2]]
    for event in [*good[:10], *bad]:
        applied.put(json.dumps(event).encode(), f"{applied.game_id}/{player}")
    assert applied.post(json.dumps(good[10:]).encode()).status_code == 202
    for event in twice:
        applied.put(json.dumps(event).encode(), f"{applied.game_id}/{player}")

    ids = {event["event_id"] for event in [*good, *bad]}

    def settled() -> tuple[Counter[str], Counter[tuple[str, str]]] | None:
        bronze = lake_lines(applied.platform, "bronze/", BEGINNING)
        rejected = lake_lines(applied.platform, "rejected/", BEGINNING)
        kept = Counter(line["event_id"] for line in bronze if line["event_id"] in ids)
        refused = Counter((line["event_id"], line["reason"]) for line in rejected if line["event_id"] in ids)
        return (kept, refused) if kept.total() + refused.total() == 34 else None

    kept, refused = eventually(settled)
    assert kept == Counter(event["event_id"] for event in good)
    assert refused == (
        Counter((event["event_id"], "duplicate") for event in good[:7])
        + Counter((event["event_id"], "schema_violation") for event in [*bad, *bad[:2]])
    )
    path = f"/v1/games/{applied.game_id}/players/{player}"
    eventually(
        lambda: (
            (answer := applied.platform.api.get(path)).is_success and answer.json()["session_starts"] >= 20
        )
    )
    assert applied.platform.read(path)["session_starts"] == 20


@pytest.mark.parametrize(
    "data",
    [b'{"event_id": "x', b"\xff\x00\xfe not text", b" ", gzip.compress(b"[1, 2", mtime=0)],
    ids=["cut", "no-text", "blank", "gzip"],
)
def test_the_stream_keeps_malformed_bytes(applied: Any, data: bytes) -> None:
    applied.put(data)
    try:
        field: dict[str, Any] = {"original": data.decode()}
    except UnicodeDecodeError:
        field = {"original_base64": base64.b64encode(data).decode()}
    line = quarantined(applied, reason="malformed_json", **field)
    assert (line["game_id"], line["ingest_source"], line["truncated"]) == ("unknown", "stream", False)


def test_the_stream_refuses_an_unknown_game(applied: Any) -> None:
    event = applied.event(game_id="nobodys-game")
    applied.put(json.dumps(event).encode())
    line = quarantined(applied, event_id=event["event_id"])
    assert (line["reason"], line["pointer"], line["game_id"]) == ("unknown_game", "/game_id", "unknown")
    assert json.loads(line["original"]) == event


def test_rest_tells_of_each_event_what_is_wrong_and_where(applied: Any) -> None:
    good, bad = applied.event(), applied.event("score_submitted", payload={"leaderboard": "x", "score": "1"})
    foreign = applied.event(game_id="nobodys-game")
    lines = [json.dumps(good), json.dumps(bad), '{"broken": ', json.dumps(foreign)]
    answer = applied.post("\n".join(lines).encode())
    assert answer.status_code == 207
    body = answer.json()
    assert (body["accepted"], body["rejected"]) == (1, 3)
    results = [(r["index"], r["event_id"], r["reason"], r["pointer"]) for r in body["results"]]
    assert results == [
        (1, bad["event_id"], "schema_violation", "/payload/score"),
        (2, None, "malformed_json", ""),
        (3, foreign["event_id"], "wrong_game", "/game_id"),
    ]
    assert quarantined(applied, event_id=bad["event_id"])["ingest_source"] == "rest"
    assert quarantined(applied, original='{"broken":')["game_id"] == applied.game_id
    assert quarantined(applied, event_id=foreign["event_id"])["reason"] == "wrong_game"


def test_rest_takes_gzip(applied: Any) -> None:
    body = gzip.compress(json.dumps([applied.event(), applied.event()]).encode())
    answer = applied.post(body, **{"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)


@pytest.mark.parametrize(
    ("status", "code", "body", "key"),
    [
        (401, "bad_key", b"{}", ""),
        (401, "bad_key", b"{}", "test-game.guess"),
        (401, "bad_key", b"{}", "nobodys-game.guess"),
        (400, "malformed_json", b'[{"event_id": 1,]', None),
        (400, "malformed_json", b"\xff\xfe", None),
        (400, "no_events", b"[]", None),
        (413, "too_large", b"[" + b" " * 1_000_000 + b"]", None),
        (413, "too_large", gzip.compress(b" " * 5_000_000), None),
        (413, "too_many_events", b"\n".join([b"{}"] * 501), None),
    ],
    ids=lambda value: None if isinstance(value, int | str) else "body",
)
def test_rest_refuses_a_bad_request(
    applied: Any, status: int, code: str, body: bytes, key: str | None
) -> None:
    answer = applied.post(body, key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]


def test_rest_answers_422_where_no_event_is_good(applied: Any) -> None:
    answer = applied.post(json.dumps(applied.event("telepathy")).encode())
    assert answer.status_code == 422
    assert answer.json()["results"][0]["reason"] == "unknown_schema"


@pytest.fixture
def another(applied: Any) -> tuple[str, str]:
    """Register another game; return its id and key."""
    table, plan = games.registry(applied.platform.outputs)
    game_id = f"game-{uuid4().hex[:8]}"
    return game_id, games.add_game(table, game_id, "Another", plan)


def test_a_disabled_game_is_refused(applied: Any, another: tuple[str, str]) -> None:
    game_id, key = another
    games.set_status(games.registry(applied.platform.outputs)[0], game_id, "disabled")
    answer = applied.post(b"{}", key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "game_disabled")


def test_two_keys_of_a_game_live(applied: Any, another: tuple[str, str]) -> None:
    game_id, key = another
    newer = games.rotate_key(games.registry(applied.platform.outputs)[0], game_id)
    event = json.dumps(applied.event(game_id=game_id)).encode()
    assert [applied.post(event, live).status_code for live in (key, newer)] == [202, 202]


def test_a_request_without_a_key_is_refused(applied: Any) -> None:
    answer = httpx.post(applied.platform.events_url, json={}, timeout=STILL_SECONDS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "bad_key")


def test_keys_that_cannot_be_checked_are_no_wrong_keys(applied: Any, another: tuple[str, str]) -> None:
    iam = boto3.client("iam")
    policy = {"RoleName": "player-analytics-local-authorizer", "PolicyName": "permissions"}
    document = iam.get_role_policy(**policy)["PolicyDocument"]
    iam.delete_role_policy(**policy)
    try:
        answer = applied.post(b"{}", another[1])
    finally:
        iam.put_role_policy(**policy, PolicyDocument=json.dumps(document))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "2"


def test_a_path_that_does_not_exist_is_told_in_the_same_form(applied: Any) -> None:
    answer = httpx.post(applied.platform.events_url + "s", content=b"{}", timeout=STILL_SECONDS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def sign(key: str, body: bytes) -> dict[str, str]:
    signing_key = hashlib.sha256(key.partition(".")[2].encode()).hexdigest().encode()
    sent = str(int(time.time()))
    digest = hmac.new(signing_key, f"{sent}.".encode() + body, hashlib.sha256).hexdigest()
    return {"x-signature": f"t={sent},sha256={digest}"}


def test_a_signature_is_checked_over_the_bytes_that_were_sent(applied: Any) -> None:
    body = gzip.compress(json.dumps(applied.event()).encode())
    assert applied.post(body, **sign(applied.key, body)).status_code == 202
    answer = applied.post(body, **sign(applied.key, gzip.decompress(body)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "bad_signature")


def test_a_game_that_must_sign_never_sends_its_secret(applied: Any, another: tuple[str, str]) -> None:
    game_id, key = another
    games.demand_signatures(games.registry(applied.platform.outputs)[0], game_id, "required")
    body = json.dumps(applied.event(game_id=game_id)).encode()
    assert applied.post(body, game_id, **sign(key, body)).status_code == 202
    answer = applied.post(body, game_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "missing_signature")
    games.demand_signatures(games.registry(applied.platform.outputs)[0], game_id, "optional")
    assert applied.post(body, game_id).status_code == 401


def test_clients_of_the_guidance_move_over_with_their_old_key(applied: Any, another: tuple[str, str]) -> None:
    game_id, _ = another
    old = "an-old-key-of-the-guidance-" + uuid4().hex
    games.import_key(games.registry(applied.platform.outputs)[0], game_id, old)
    paid = {"transaction_id": "t-1", "item_id": "gems", "currency_type": "USD", "currency_amount": 7.99}
    events = [
        {
            "event_id": str(uuid4()),
            "event_type": event_type,
            "event_name": event_type,
            "event_timestamp": int(time.time()),
            "event_version": "1.0.0",
            "app_version": "2.1.0",
            "event_data": {"user_id": "p-7", "platform": "PS5"} | data,
        }
        for event_type, data in (("login", {}), ("iap_transaction", paid), ("lootbox_opened", {"box": 1}))
    ]
    answer = applied.post_application(game_id, json.dumps({"events": events}).encode(), old)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 3, "rejected": 0, "results": []})
    # API Gateway remembers whose key it is; where it does not, the key is none of the other game's.
    assert applied.post_application(applied.game_id, b"{}", old).json()["error"]["code"] == "wrong_game"
    unseen = applied.post_application(applied.game_id, b"{}", old + "x")
    assert (unseen.status_code, unseen.json()["error"]["code"]) == (401, "bad_key")

    def known() -> Any:
        found = applied.platform.api.get(f"/v1/games/{game_id}/players/p-7")
        body = found.json() if found.status_code == 200 else {}
        return body if body.get("purchases") else None

    player = eventually(known)
    assert (player["session_starts"], player["spend"], player["platform"]) == (1, {"USD": 799}, "playstation")


def test_clients_of_other_products_send_what_they_always_sent(applied: Any, another: tuple[str, str]) -> None:
    game_id, key = another
    now = int(time.time())
    paid = {"event_id": "pack:gems", "category": "business", "amount": 799, "currency": "USD"}
    common = {"user_id": "p-8", "client_ts": now, "session_id": str(uuid4()), "platform": "ios", "v": 2}
    events = [common | {"category": "user"}, common | paid]
    path = f"gameanalytics/v2/{'a' * 32}/events"
    answer = applied.post_compat(path, gzip.compress(json.dumps(events).encode()), key)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 2, "rejected": 0, "results": []})
    one = {"user_id": "p-9", "event_type": "boss", "time": now * 1000}
    answer = applied.post_compat("amplitude/2/httpapi", json.dumps({"events": [one]}).encode(), key)
    assert (answer.status_code, answer.json()["code"], answer.json()["events_ingested"]) == (200, 200, 1)
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
    other = {"eventName": "boss", "userID": "p-9", "eventTimestamp": at}
    path = "unity/api/analytics/collect/v1/projects/p/environments/production"
    assert applied.post_compat(path, json.dumps({"eventList": [other]}).encode(), key).status_code == 204
    unseen = applied.post_compat("amplitude/2/httpapi", b"{}", key + "x")
    assert (unseen.status_code, unseen.json()["error"]["code"]) == (401, "bad_key")
    assert applied.post_compat("mixpanel/track", b"{}", key).status_code == 404

    def known() -> Any:
        found = applied.platform.api.get(f"/v1/games/{game_id}/players/p-8")
        body = found.json() if found.status_code == 200 else {}
        return body if body.get("purchases") else None

    player = eventually(known)
    assert (player["session_starts"], player["spend"], player["platform"]) == (1, {"USD": 799}, "ios")


def test_a_key_in_the_path_of_another_game_is_refused(applied: Any, another: tuple[str, str]) -> None:
    game_id, key = another
    for path in (applied.game_id, "nobodys-game"):
        answer = applied.post_application(path, b"{}", key)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wrong_game")
    assert applied.post_application(game_id, b"{}", key).status_code == 422


def test_the_country_is_the_edges(applied: Any) -> None:
    event = applied.event(player_id=f"p-{uuid4().hex}")
    event["client"]["country"] = "DE"
    assert applied.post(json.dumps(event).encode(), **{"CloudFront-Viewer-Country": "BR"}).status_code == 202
    path = f"/v1/games/{applied.game_id}/players/{event['player_id']}"
    found = eventually(lambda: (a := applied.platform.api.get(path)).status_code == 200 and a.json())
    assert found["country"] == "BR"


def test_the_metrics_function_answers_signed_requests_only(applied: Any) -> None:
    path = f"/v1/games/{applied.game_id}/summary"
    host = f"{applied.platform.outputs['metrics_api']['id']}.execute-api.localhost"
    url = f"{applied.emulator.endpoint}{path}"
    request = AWSRequest("GET", url, headers={"Host": host})
    credentials = botocore.session.get_session().get_credentials()
    SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
    signed = httpx.get(url, headers=dict(request.headers), timeout=STILL_SECONDS)
    assert signed.status_code == 200, signed.text
    assert signed.json()["game_id"] == applied.game_id
    assert httpx.get(url, headers={"Host": host}, timeout=STILL_SECONDS).status_code == 403
