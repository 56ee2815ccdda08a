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
    assert made == {path.parent.name for path in FUNCTIONS.glob("*/handler.py")}
    others = [path.name for path in FUNCTIONS.rglob("*.py") if re.search(r"\bLogger\(\)", path.read_text())]
    assert not others
