"""Micro: a game's own tests run against all of an event's way, and fail where events are not as expected."""

import json
import re
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

import hcl2
import pytest
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from tools import REPOSITORY, emulator, micro
from tools.micro import Outcomes, described, judged

GAMES_TEST = """
import json, os, uuid
from datetime import UTC, datetime
import httpx

now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
example = json.load(open("event-schemas/session_start/examples/session_start.1-0-0.typical.pass.json"))
api = httpx.Client(base_url=os.environ["MICRO_URL"], timeout=60)
key = {"x-api-key": os.environ["MICRO_KEY"]}


def event(**fields):
    new = {"event_id": str(uuid.uuid4()), "event_time": now, "sent_at": now, "game_id": "my-game"}
    return example | new | {"player_id": "ann"} | fields


def send(*events, headers=key):
    return api.post("/v1/events", json=list(events), headers=headers)


def counts():
    return api.get("/micro/all").json()


first = event()
assert send(first, event(player_id="bob"), event(player_id=7)).status_code == 207
assert counts() == {"total": 3, "good": 2, "bad": 1}
(bad,) = api.get("/micro/bad").json()
assert (bad["reason"], bad["pointer"]) == ("schema_violation", "/player_id")
(good,) = api.get("/micro/good", params={"player_id": "bob"}).json()
assert good["event_type"] == "session_start" and good["corrected_time"]
wrong = send(event(), headers={"x-api-key": "my-game.wrong"})
assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "bad_key")
assert send(first).status_code == 202 and counts() == {"total": 4, "good": 2, "bad": 2}
assert api.get("/micro/bad").json()[-1]["reason"] == "duplicate"
assert api.get("/v1/games/my-game/players/ann").json()["session_starts"] == 1
recent = api.get("/v1/games/my-game/events/recent").json()
assert {"accepted", "rejected"} <= {one["result"] for one in recent["events"]}
assert recent["ingest_url"] == os.environ["MICRO_URL"] and recent["takes_test_events"]
assert "<title>" in api.get("/?game=my-game").text
history = api.get("/v1/games/my-game/history/daily", params={"from": now[:10], "to": now[:10]})
assert history.status_code == 503 and "make demo" in history.json()["detail"]
asked = {"origin": "https://play.example", "access-control-request-headers": "x-api-key"}
preflight = api.options("/v1/events", headers=asked)
assert preflight.status_code == 204 and preflight.headers["access-control-allow-origin"] == "*"
theirs = {"eventName": "boss", "userID": "ann", "eventTimestamp": now}
path = "/v1/compat/unity/api/analytics/collect/v1/projects/p/environments/production"
assert api.post(path, json={"eventList": [theirs]}, headers=key).status_code == 204
assert counts() == {"total": 5, "good": 3, "bad": 2}
assert api.get("/micro/good").json()[-1]["payload"] == {"name": "boss"}
assert api.post("/micro/reset").json() == {"total": 0, "good": 0, "bad": 0}
assert api.get("/v1/games/my-game/players/ann").status_code == 404
assert send(first).status_code == 202 and counts() == {"total": 1, "good": 1, "bad": 0}
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a port of its own."""
    command = [str(REPOSITORY / "scripts" / "micro"), "--port", str(emulator.free_port()), *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_a_games_test_sees_what_becomes_of_its_events() -> None:
    ran = run("--expect", "good=1", "--expect", "bad=0", "--", sys.executable, "-c", GAMES_TEST)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "rejected  schema_violation  at /player_id:" in ran.stdout
    assert "_aws" not in ran.stdout, "metrics of the functions are for CloudWatch"


def test_it_fails_where_events_are_not_as_expected_or_the_command_fails() -> None:
    sends = (
        "import httpx, os; httpx.post(os.environ['MICRO_URL'] + '/v1/events', content=b'{\"a\": 1}',"
        "headers={'x-api-key': os.environ['MICRO_SERVER_KEY']}, timeout=60)"
    )
    ran = run("--expect", "bad=0", "--", sys.executable, "-c", sends)
    assert ran.returncode == 1
    assert "1 bad events, expected 0" in ran.stderr
    assert "rejected  schema_violation" in ran.stderr
    assert run("--", sys.executable, "-c", "raise SystemExit(3)").returncode == 3


def test_a_wrong_command_line_says_what_to_do() -> None:
    assert "--expect needs a command" in run("--expect", "bad=0").stderr
    assert "neither good=N nor bad=N" in run("--expect", "fine=1", "--", "true").stderr
    assert "cannot be a game's id" in run("--game", "NO", "--", "true").stderr


def test_an_outcome_is_kept_up_to_a_number_and_steers_no_terminal() -> None:
    outcomes = Outcomes(lambda text: None)
    line = {"reason": "schema_violation", "pointer": "", "message": "\x1b[2J wrong"}
    outcomes.take("rejected", (json.dumps(line) + "\n").encode() * 3)
    outcomes.kept["bad"] = deque(outcomes.kept["bad"], maxlen=2)
    outcomes.take("rejected", json.dumps(line).encode())
    assert (outcomes.counts["bad"], len(outcomes.kept["bad"])) == (4, 2)
    assert described("bad", line) == "rejected  schema_violation  at /: ?[2J wrong"
    assert judged(outcomes, [("bad", 4), ("good", 0)]) == []
    assert judged(outcomes, [("bad", 5)])[0] == "4 bad events, expected 5"


def test_it_begins_anew_when_a_schema_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    states, said, begun = iter([1, 1, 1, 2]), list[str](), list[list[str]]()
    monkeypatch.setattr(micro, "PAUSE_SECONDS", 0)
    monkeypatch.setattr("os.execv", lambda path, arguments: begun.append(arguments))
    monkeypatch.setattr("sys.argv", ["micro", "--watch"])
    micro._watch(lambda: next(states), said.append)
    assert begun == [[sys.executable, "-P", "-m", "tools.micro", "--watch"]]
    assert said == ["A schema has changed: micro begins anew."]
    names = [Path(path).name for path, _ in micro._schemas()]
    assert "1-0-0.json" in names


def test_it_answers_for_the_authorizer_as_api_gateway_does() -> None:
    source = REPOSITORY / "infrastructure" / "modules" / "ingest" / "responses.tf"
    (local,) = hcl2.loads(source.read_text())["locals"]
    for kind, (status, code, message) in micro.REFUSALS.items():
        said = local["responses"][kind]
        told = (said["code"], said["message"], str(said["status"]))
        assert tuple(re.sub(r'^"|"$', "", text) for text in told) == (code, message, str(status))


def test_pages_of_other_sites_reach_nothing_but_the_door_for_events() -> None:
    async def below(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse("taken")(scope, receive, send)

    client = TestClient(micro.OwnPages(below))
    linked = {"sec-fetch-site": "cross-site"}
    for host, path, headers, status in (
        ("localhost:9090", "/micro/reset", {}, 200),
        ("127.0.0.1:9090", "/micro/good", {"sec-fetch-site": "same-origin"}, 200),
        ("[::1]:9090", "/micro/good", {}, 200),
        ("micro:9090", "/v1/events", {}, 200),
        ("localhost:9090", "/v1/events", linked, 200),
        ("evil.example", "/micro/good", {}, 403),
        ("127.0.0.1.evil.example:9090", "/v1/events", {}, 403),
        ("localhost:9090", "/micro/reset", linked, 403),
    ):
        assert client.get(path, headers=headers | {"host": host}).status_code == status, (host, path)
