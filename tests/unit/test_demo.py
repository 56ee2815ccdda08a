"""The demo brings what changed to the platform that runs."""

from typing import Any

import pytest
from tools import CommandError, build, demo, emulator, lake_tables, metrics_api, schemas

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
