"""The metrics API: exact answers from known items, and a problem for every bad question."""

import base64
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from fastapi.testclient import TestClient
from telemetry.player_item import Player, milliseconds, to_item

TABLES = ("games", "players", "game_days", "leaderboards", "boards", "ingest_stats")


@pytest.fixture
def api(metrics_app: Any, dynamodb: Any) -> TestClient:
    dynamodb.Table("games").put_item(Item={"game_id": "skyforge", "status": "active", "key_hashes": []})
    return TestClient(metrics_app, raise_server_exceptions=False)


def put(dynamodb: Any, table: str, **item: Any) -> None:
    dynamodb.Table(table).put_item(Item=item)


def test_summary_adds_up_shards_and_shows_every_day(api: TestClient, dynamodb: Any) -> None:
    first = {"events": 5, "events_purchase": 2, "revenue_EUR": 10**15, "active_players": 2, "payers": 1}
    second = {"events": 1, "events_session_start": 1, "active_players": 1}
    put(
        dynamodb,
        "game_days",
        game_day="skyforge#2026-03-01",
        shard="0",
        updated_at="2026-03-01T10:00:00Z",
        **first,
    )
    put(
        dynamodb,
        "game_days",
        game_day="skyforge#2026-03-01",
        shard="1",
        updated_at="2026-03-01T11:00:00Z",
        **second,
    )
    put(dynamodb, "game_days", game_day="skyforge#2026-03-03", shard="0", **second)
    put(dynamodb, "game_days", game_day="other#2026-03-01", shard="0", **first)
    answer = api.get("/v1/games/skyforge/summary?from=2026-03-01&to=2026-03-03")
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, max-age=5"
    assert [(day["date"], day["events"], day["active_players"]) for day in body["days"]] == [
        ("2026-03-01", 6, 3),
        ("2026-03-02", 0, 0),
        ("2026-03-03", 1, 1),
    ]
    assert body["totals"]["events"] == 7
    assert body["totals"]["revenue"] == {"EUR": 10**15}
    assert body["totals"]["events_by_type"] == {"purchase": 2, "session_start": 2}
    assert body["updated_at"] == "2026-03-01T11:00:00Z"
    assert body["as_of"].endswith("Z")


def test_ingestion_adds_up_reasons(api: TestClient, dynamodb: Any) -> None:
    today = datetime.now(UTC).date().isoformat()
    counts = {"accepted": 7, "late": 2, "rejected_duplicate": 3, "rejected_future": 1}
    put(dynamodb, "ingest_stats", game_day=f"skyforge#{today}", shard="0", position="1", **counts)
    put(dynamodb, "ingest_stats", game_day=f"skyforge#{today}", shard="1", position="9", rejected_future=1)
    body = api.get("/v1/games/skyforge/ingestion").json()
    assert (body["total"], body["accepted"], body["late"]) == (12, 7, 2)
    assert body["rejected"] == {"duplicate": 3, "future": 2}
    assert api.get("/v1/games/unknown/ingestion").json()["total"] == 0


def test_player_shows_days_and_money_but_not_bookkeeping(api: TestClient, dynamodb: Any) -> None:
    first, last = (milliseconds(f"2026-03-{day:02}T10:00:00.000Z") for day in (1, 2))
    player = Player("skyforge", "p-1", first, last, spend={"EUR": 499}, version=4)
    player.active_days = {datetime(2026, 3, day, tzinfo=UTC).toordinal() for day in (2, 1)}
    boto3.client("dynamodb").put_item(TableName="players", Item=to_item(player))
    body = api.get("/v1/games/skyforge/players/p-1").json()
    assert body["spend"] == {"EUR": 499}
    assert body["active_days"] == ["2026-03-01", "2026-03-02"]
    assert not {"state", "version", "plays", "payments"} & set(body)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/games/nobodys/summary", 404),
        ("/v1/games/unknown/summary", 404),
        ("/v1/games/skyforge/players/nobody", 404),
        ("/v1/games/skyforge/leaderboards/none", 404),
        ("/nowhere", 404),
        ("/v1/games/Sky%20Forge/summary", 422),
        ("/v1/games/skyforge/summary?from=2026-13-01", 422),
        ("/v1/games/skyforge/summary?from=2026-03-02&to=2026-03-01", 422),
        ("/v1/games/skyforge/summary?from=2020-01-01&to=2026-03-01", 422),
        ("/v1/games/skyforge/leaderboards/global?limit=0", 422),
        ("/v1/games/skyforge/leaderboards/global?limit=101", 422),
        ("/v1/games/skyforge/funnel?platform=ios", 422),
        ("/v1/games/skyforge/summary?From=2026-03-01", 422),
        ("/v1/games/skyforge/players/p-1?x=1", 422),
        ("/v1/games?name=x", 422),
        ("/v1/games/skyforge/realtime?platform=ios&platform=web", 422),
    ],
)
def test_bad_questions_get_a_problem(api: TestClient, path: str, status: int) -> None:
    answer = api.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json()["status"], bool(answer.json()["detail"])) == (status, True)


def test_an_unknown_parameter_is_named_with_those_that_there_are(api: TestClient) -> None:
    (error,) = api.get("/v1/games/skyforge/funnel?from=2026-03-01&platform=ios").json()["errors"]
    assert error == {"pointer": "/query/platform", "detail": "this route takes from, to"}
    assert api.get("/v1/games/skyforge/live?minutes=5").status_code == 200
    assert api.get("/health?probe=1").status_code == 200


def test_only_reading_is_allowed(api: TestClient) -> None:
    assert api.post("/v1/games/skyforge/summary").status_code == 405
    assert api.head("/v1/games/skyforge/summary").status_code == 200


def test_without_tables_it_is_healthy_but_not_ready(api: TestClient, dynamodb: Any) -> None:
    assert (api.get("/health").status_code, api.get("/ready").status_code) == (200, 200)
    dynamodb.Table("games").delete()
    assert (api.get("/health").status_code, api.get("/ready").status_code) == (200, 503)
    assert api.get("/v1/games/skyforge/summary").status_code in (500, 503)


def test_the_page_needs_no_other_host(api: TestClient) -> None:
    page = api.get("/docs").text
    assert "://" not in page.replace(api.get("/openapi.json").json()["info"]["title"], "")
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f"/assets/{asset}" in page
        assert api.get(f"/assets/{asset}").status_code == 200


def requesting(path: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    """Return an event of API Gateway's HTTP API."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "testserver", **headers},
        "requestContext": {
            "authorizer": {"iam": {"userArn": "arn:aws:iam::111122223333:user/ops"}},
            "http": {"method": method, "path": path, "sourceIp": "127.0.0.1"},
        },
        "isBase64Encoded": False,
    }


def test_the_function_answers_as_the_server_does(api: TestClient, event_loop: None) -> None:
    from metrics_api.handler import lambda_handler

    path = "/v1/games/skyforge/leaderboards/none"
    event = requesting(path) | {"rawQueryString": "limit=5"}
    answer = lambda_handler(event, None)
    assert (answer["statusCode"], json.loads(answer["body"])) == (404, api.get(f"{path}?limit=5").json())


@pytest.mark.parametrize("path", ["/openapi.json", "/page/app.js", "/page/page.css", "/"])
def test_answers_are_compressed_for_who_takes_gzip(api: TestClient, event_loop: None, path: str) -> None:
    """Python's gzip module reads what the server and the function send. Clients without gzip get it plain."""
    from metrics_api.handler import lambda_handler

    plain = api.get(path, headers={"accept-encoding": "identity"})
    assert ("content-encoding" in plain.headers, plain.headers["vary"]) == (False, "Accept-Encoding")
    with api.stream("GET", path, headers={"accept-encoding": "br, gzip"}) as sent:
        small = b"".join(sent.iter_raw())
    assert (sent.headers["content-encoding"], sent.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(small) == plain.content
    assert int(sent.headers["content-length"]) == len(small) < len(plain.content) / 2
    head = api.head(path, headers={"accept-encoding": "gzip"})
    assert (head.content, head.headers) == (b"", sent.headers)
    answer = lambda_handler(requesting(path, **{"accept-encoding": "gzip"}), None)
    assert (answer["isBase64Encoded"], answer["headers"]["content-encoding"]) == (True, "gzip")
    assert gzip.decompress(base64.b64decode(answer["body"])) == plain.content
    answer = lambda_handler(requesting(path, "HEAD", **{"accept-encoding": "gzip"}), None)
    assert (answer["statusCode"], answer["body"], answer["headers"]["content-encoding"]) == (200, "", "gzip")
    answer = lambda_handler(requesting(path), None)
    text = answer["body"]
    assert (base64.b64decode(text) if answer["isBase64Encoded"] else text.encode()) == plain.content


def test_a_kept_file_is_not_sent_again_and_its_tag_says_which_bytes_it_names(api: TestClient) -> None:
    path = "/page/app.js"
    tag = api.get(path, headers={"accept-encoding": "identity"}).headers["etag"]
    weak = api.get(path, headers={"accept-encoding": "gzip"}).headers["etag"]
    assert (tag[0], weak) == ('"', f"W/{tag}")
    for encoding in ("identity", "gzip"):
        for known in (tag, weak):
            kept = api.get(path, headers={"accept-encoding": encoding, "if-none-match": known})
            assert (kept.status_code, kept.content) == (304, b"")
            same = weak if encoding == "gzip" else tag
            assert (kept.headers["etag"], kept.headers["vary"]) == (same, "Accept-Encoding")
            assert "content-encoding" not in kept.headers
    # A part is one of the file's own bytes.
    part = api.get(path, headers={"accept-encoding": "gzip", "range": "bytes=0-1999"})
    assert (part.status_code, len(part.content), "content-encoding" in part.headers) == (206, 2000, False)
    assert part.headers["etag"] == tag


def test_small_answers_and_streams_are_not_compressed(api: TestClient) -> None:
    for path in ("/health", "/nowhere"):
        answer = api.get(path, headers={"accept-encoding": "gzip"})
        assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/explore"),
        ("PUT", "/annotations"),
        ("PUT", "/dashboard"),
        ("PUT", "/questions/buyers"),
    ],
)
def test_a_body_that_is_no_json_has_the_status_that_is_documented(
    api: TestClient, method: str, path: str
) -> None:
    bodies = {b"{": 422, b"nothing": 422, b"": 422, b'{"a": "\xff"}': 400, b"[" * 100_000: 400}
    for body, status in bodies.items():
        headers = {"content-type": "application/json"}
        answer = api.request(method, f"/v1/games/skyforge{path}", content=body, headers=headers)
        assert answer.status_code == status, body[:9]
    documents = api.get("/openapi.json").json()["paths"]
    taking = [
        operation["responses"]
        for operations in documents.values()
        for operation in operations.values()
        if "requestBody" in operation
    ]
    assert len(taking) == 4
    assert {one["400"]["description"] for one in taking} == {
        "The body is no text of UTF-8, or is nested too deeply."
    }
    assert all("422" in one for one in taking)


def test_control_characters_are_refused_in_words(api: TestClient) -> None:
    words = "text must not contain control characters, such as tabs and ends of lines"
    where = [{"field": "platform", "op": "is", "values": ["a\tb"]}]
    answers = [
        api.get("/v1/games/skyforge/verdicts?experiment=a%0ab"),
        api.get("/v1/games/skyforge/history/daily?platform=a%00b"),
        api.post("/v1/games/skyforge/explore", json={"kind": "events", "where": where}),
    ]
    for answer in answers:
        assert answer.status_code == 422
        assert words in [error["detail"] for error in answer.json()["errors"]], answer.text
        assert "pattern '^[^" not in answer.text


def test_the_documentation_runs_no_script_but_its_own(api: TestClient) -> None:
    answer = api.get("/docs")
    policy = answer.headers["content-security-policy"]
    scripts = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    assert scripts
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "script-src 'self'" in policy
    assert "'unsafe-inline'" not in policy.partition("style-src")[0]
    assert "frame-ancestors 'none'" in policy


def test_the_api_of_a_machine_answers_to_its_own_names_only() -> None:
    """A page of another site can let its own name lead to 127.0.0.1 (DNS rebinding)."""
    code = (
        "from fastapi.testclient import TestClient; from metrics_api.app import app\n"
        "for host in ('127.0.0.1:8000', 'localhost', 'evil.example'):\n"
        "    print(TestClient(app).get('/openapi.json', headers={'host': host}).status_code)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={name: value for name, value in os.environ.items() if name != "ALLOWED_HOSTS"}
        | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == ["200", "200", "400"]


def test_the_first_requests_may_come_at_once() -> None:
    """A page asks for several answers at once. None sees the document of the API half made."""
    asked = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from metrics_api.app import app
sys.setswitchinterval(1e-6)
with ThreadPoolExecutor(8) as threads:
    documents = list(threads.map(lambda _: json.dumps(app.openapi()), range(8)))
assert len(set(documents)) == 1
"""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", asked], env=env, check=True)
