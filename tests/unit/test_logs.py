"""What functions log, and what they must not: AWS keeps it for months, and many may read it."""

import io
import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from telemetry import logs
from tools import games

AT = "2026-01-31T12:00:00.000Z"
FUNCTIONS = Path(__file__).parents[2] / "functions"
KEY = "3f9a0c1e." + "aB3-" * 10 + "xYz"
SECRETS = {
    "key": KEY.partition(".")[2],
    "mail": "jane.doe@example.com",
    "signature": "sha256=" + "0f" * 32,
    "webhook": "T0000/B0000/XXXXXXXX",
}
TEXT = f"key {KEY}, {SECRETS['mail']} {SECRETS['signature']} at https://hooks.example.com/services/{SECRETS['webhook']}"


def failed(logger: Any) -> None:
    try:
        raise ValueError(TEXT)
    except ValueError:
        logger.exception("Failed")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], None]], str]:
    """Return what a logger writes, as it is set up for a function."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "redaction")
    logger = logs.logger()
    (handler,) = logging.getLogger("redaction").handlers
    assert isinstance(handler, logging.StreamHandler)

    def write(log: Callable[[Any], None]) -> str:
        stream = io.StringIO()
        handler.setStream(stream)
        log(logger)
        return stream.getvalue()

    return write


@pytest.mark.parametrize(
    "log",
    [
        lambda logger: logger.error(TEXT),
        lambda logger: logger.error("Failed", extra={"event": {"headers": [TEXT]}}),
        lambda logger: logger.error("Failed", error=TEXT),
        lambda logger: logger.error({"said": TEXT}),
        failed,
    ],
    ids=["message", "extra", "keyword", "object", "exception"],
)
def test_secrets_and_addresses_are_not_logged(
    written: Callable[[Callable[[Any], None]], str], log: Callable[[Any], None]
) -> None:
    line = written(log)
    for name, secret in SECRETS.items():
        assert secret not in line, name
    assert {"[key]", "[mail]", "[signature]", "https://hooks.example.com/[path]"} <= set(
        re.findall(r"https://[\w.]+/\[path\]|\[\w+\]", line)
    )


@pytest.mark.parametrize("field", ["message", "said", "event", "error", "key"])
def test_secrets_and_addresses_are_not_in_a_line_of_a_request(field: str) -> None:
    fields = {
        "said": TEXT,
        "event": {"headers": [TEXT]},
        "error": ValueError(TEXT),
        "key": SECRETS["key"],
        "message": TEXT,
    }
    line = logs.info_line("redaction", "Taken", AT, {field: fields[field]})
    assert not [name for name, secret in SECRETS.items() if secret in line]
    assert "[key]" in line


@pytest.mark.parametrize("secret", [*SECRETS.values(), "https://hooks.example.com/a", "jane%40example.com"])
def test_each_secret_alone_is_looked_for(secret: str) -> None:
    # A webhook's path is known by its URL.
    text = f"https://hooks.example.com/services/{secret}" if "XXXX" in secret else secret
    assert json.loads(logs.info_line("redaction", "Taken", AT, {"said": text}))["said"] != text


def test_a_line_of_a_request_is_what_the_logger_writes(
    written: Callable[[Callable[[Any], None]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=1;Sampled=1")
    fields = {"game_id": "skyforge", "events": 3, "received_at": AT}
    theirs = json.loads(written(lambda logger: logger.info("Request taken", extra=fields)))
    ours = json.loads(logs.info_line("redaction", "Request taken", AT, fields))
    assert theirs.pop("location")
    assert theirs.pop("timestamp")
    assert ours.pop("timestamp") == AT
    assert ours == theirs


def test_what_a_search_needs_stays(written: Callable[[Callable[[Any], None]], str]) -> None:
    kept = {
        "event_id": "0b6f2a54-4c86-4f0e-9d5a-6f1f3a1c7e01",
        "position": "49590338271490256608559692538361571095921575989136588898",
        "sum": "f" * 64,
        "said": 'Could not connect to the endpoint URL: "https://dynamodb.eu-west-1.amazonaws.com/"',
    }
    line = json.loads(written(lambda logger: logger.info("Told", extra=kept)))
    assert {name: line[name] for name in kept} == kept


def test_a_games_key_has_the_form_that_is_looked_for(dynamodb: Any) -> None:
    key = games.add_game(dynamodb.Table("games"), "skyforge", "Skyforge", None)
    assert re.fullmatch(r"[\w-]{43}", key.rpartition(".")[2])


def test_every_function_logs_by_it() -> None:
    made = {
        path.relative_to(FUNCTIONS).parts[0]
        for path in FUNCTIONS.rglob("*.py")
        if "logger = logs.logger()" in path.read_text()
    }
    assert made == {"layers", *(path.parent.name for path in FUNCTIONS.glob("*/handler.py"))}
    others = [path.name for path in FUNCTIONS.rglob("*.py") if re.search(r"\bLogger\(\)", path.read_text())]
    assert not others
