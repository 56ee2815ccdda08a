"""The demo brings what changed to the platform that runs, fails early, and ends with what to do next."""

import socket
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from telemetry import client_names
from tools import CommandError, build, demo, emulator, infrastructure, lake_tables, metrics_api, schemas
from tools.background import Background
from tools.emulator import Emulator
from tools.metrics_api import MetricsApi
from tools.simulation import Letter, simulate

OUTPUTS = {
    "ingest": {"id": "api", "stage": "live", "url": "https://aws"},
    "lake_database": "lake",
    "metrics_api_environment": {"GAMES_TABLE": "games"},
    "raw_stream_name": "raw",
}


class Api:
    address = "http://127.0.0.1:8000"

    def __init__(self) -> None:
        self.environment: dict[str, str] = {}

    def start(self, environment: dict[str, str]) -> None:
        self.environment = environment


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    done: list[str] = []

    def step(name: str, answer: Any) -> Any:
        def run(*_: Any) -> Any:
            done.append(name)
            return answer

        return run

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setattr(emulator, "local_environment", lambda: {"AWS_REGION": "us-east-1"})
    monkeypatch.setattr(schemas, "findings", step("check", []))
    monkeypatch.setattr(schemas, "generate", step("generate", ["docs/events.md"]))
    monkeypatch.setattr(build, "build", step("build", []))
    monkeypatch.setattr(demo, "apply", step("apply", OUTPUTS))
    monkeypatch.setattr(lake_tables, "create", step("tables", []))
    return done


def test_a_new_event_type_is_brought_by_one_command(
    steps: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api = Api()
    monkeypatch.setattr(metrics_api, "current", lambda: api)
    demo.update()
    assert steps == ["check", "generate", "build", "apply", "tables"]
    url = "http://127.0.0.1:4566/restapis/api/live/_user_request_"
    assert api.environment == {
        "GAMES_TABLE": "games", "AWS_REGION": "us-east-1", "INGEST_URL": url, "TEST_STREAM": "raw",
    }  # fmt: skip
    assert f"{url}/v1/events" in capsys.readouterr().out.replace("\n", "")


def test_schemas_that_are_wrong_are_brought_nowhere(
    steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schemas, "findings", lambda _: ["a.json: is not described"])
    with pytest.raises(CommandError, match="is not described"):
        demo.update()
    assert steps == []


def test_the_url_of_the_rest_api_is_that_of_aws_where_there_is_no_emulator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert emulator.ingest_url(OUTPUTS) == "https://aws"


def test_a_port_that_is_taken_is_named_before_anything_starts(
    steps: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(infrastructure, "require_terraform", lambda: "1.11.0")
    with socket.create_server(("127.0.0.1", 0)) as server:
        api = MetricsApi(server.getsockname()[1], tmp_path)
        monkeypatch.setattr(metrics_api, "current", lambda: api)
        with pytest.raises(CommandError, match=rf"port {api.port} is taken.*API_PORT={api.port + 1}"):
            demo.start(1, 1, 1)
    assert steps == []


def test_a_record_that_was_cut_short_is_no_process(tmp_path: Path) -> None:
    """Who ends a demo in the middle can stop it and start another."""
    (tmp_path / "process.json").write_text('{"pid": 1')
    assert Background(tmp_path).process() is None
    assert Emulator(directory=tmp_path).process() is None
    Background(tmp_path).stop()
    assert not (tmp_path / "process.json").exists()


def test_it_ends_with_what_to_do_next_at_the_port_it_was_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    demo._say_what_next(OUTPUTS, MetricsApi(9123), "skyforge-1")
    told = capsys.readouterr().out
    for line in (
        "http://127.0.0.1:9123/?game=skyforge-1",
        "http://127.0.0.1:9123/overview?game=skyforge-1",
        "scripts/tail --game skyforge-1",
        "scripts/games add my-game",
        "make down",
    ):
        assert line in told


def test_the_played_game_has_no_more_names_than_late_events_may_bring() -> None:
    """All its days are sent at once, and its figures are compared with what was sent."""
    sessions, _ = simulate("skyforge-1", players=200, days=5, seed=1)
    found = defaultdict(set)
    for letter in (letter for session in sessions for letter in session.letters if not letter.reason):
        event = letter.event | {"platform": "ios", "app_version": "1.0.0"}
        for kind, name in client_names._names(event):
            found[event["event_time"][:10], kind].add(name)
    assert {kind for _, kind in found} >= {"ads", "designs", "flows", "levels"}
    assert max(map(len, found.values())) <= client_names.NameLimits().late_names


def test_the_first_event_of_each_player_names_the_source() -> None:
    """The history takes the source from the first day, and a session may begin just before midnight."""
    sessions, truth = simulate("skyforge-1", players=50, days=3, seed=1)
    letters = [letter for session in sessions for letter in session.letters if not letter.reason]
    firsts: dict[str, Letter] = {}
    for letter in sorted(letters, key=_happened, reverse=True):
        firsts[truth.guests.get(letter.player_id, letter.player_id)] = letter
    assert firsts.keys() == set().union(*truth.merged().players_by_day.values())
    assert truth.guests
    assert all("install_source" in letter.event["payload"] for letter in firsts.values())


def _happened(letter: Letter) -> datetime:
    return datetime.fromisoformat(letter.event["event_time"]) - letter.skew
