"""AWS for the tests: in memory, or the whole platform on an emulator of its own, applied once."""

import functools
import json
import os
import shutil
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx
import pytest
import steps
from botocore.loaders import JSONFileLoader
from hypothesis import HealthCheck, settings
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from skips import pytest_make_collect_report as pytest_make_collect_report
from skips import pytest_runtest_makereport as pytest_runtest_makereport
from telemetry.enrichment import timestamp
from tools import REPOSITORY, build, games, infrastructure, lake_tables
from tools.emulator import Emulator, free_port
from tools.metrics_api import MetricsApi
from tools.progress import LONGEST_SECONDS, STILL_SECONDS
from tools.simulate import Platform

# It holds the assertions of several engines: a failure must show what differs.
pytest.register_assert_rewrite("golden_history")
# How long pg_ctl waits for PostgreSQL.
os.environ["PGCTLTIMEOUT"] = str(int(LONGEST_SECONDS))
# Starlette's test client calls the metrics API "testserver".
os.environ["ALLOWED_HOSTS"] = '["127.0.0.1", "localhost", "testserver"]'
# Powertools reads these when a handler is imported, by whichever test comes first.
os.environ |= {"POWERTOOLS_METRICS_NAMESPACE": "PlayerAnalytics", "POWERTOOLS_SERVICE_NAME": "tests"}

# A busy machine is slow: the time of an example says nothing about the code.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# Each test with AWS in memory makes its own clients. Most of that time goes into parsing models of services.
_parse = JSONFileLoader._load_file
_parsed = functools.cache(lambda path, opened_by: _parse(None, path, opened_by))
JSONFileLoader._load_file = lambda _, path, opened_by: _parsed(path, opened_by)

# What these directories start is dear: one worker of pytest-xdist runs all that shares it.
TOGETHER = {
    "batch": "spark",
    "clients": "clients",
    "end_to_end": "emulator",
    "integration": "emulator",
    "packages": "lambda",
    "plan": "terraform",
    "realtime": "flink",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests that share an emulator, an engine or a plan together, those that take longest first."""
    directories = {item: item.path.relative_to(Path(__file__).parent).parts[0] for item in items}
    for item, directory in directories.items():
        if directory in TOGETHER:
            item.add_marker(pytest.mark.xdist_group(TOGETHER[directory]))
    items.sort(key=lambda item: directories[item] not in TOGETHER)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured without a limit: their property `summary`."""
    passed = terminalreporter.getreports("passed")
    told = [text for report in passed for name, text in report.user_properties if name == "summary"]
    if told:
        terminalreporter.section("measured")
        for text in sorted(set(told)):
            terminalreporter.line(str(text))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes by their length: gzip holds the time, and all workers must know the same tests."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) else None


@dataclass(frozen=True, slots=True)
class Applied:
    """An applied platform with a registered game."""

    platform: Platform
    emulator: Emulator
    game_id: str
    key: str
    terraform: Callable[..., str]

    def post(self, body: bytes, key: str | None = None, **headers: str) -> httpx.Response:
        """POST to the REST API, with the game's key unless another is given."""
        sent = {"content-type": "application/json", "x-api-key": self.key if key is None else key} | headers
        return httpx.post(self.platform.events_url, content=body, headers=sent, timeout=STILL_SECONDS)

    def post_application(self, application_id: str, body: bytes, key: str) -> httpx.Response:
        """POST to the route of the AWS guidance's clients."""
        url = self.platform.events_url.replace("/v1/events", f"/applications/{application_id}/events")
        sent = {"content-type": "application/json", "authorization": key}
        return httpx.post(url, content=body, headers=sent, timeout=STILL_SECONDS)

    def post_compat(self, path: str, body: bytes, key: str) -> httpx.Response:
        """POST to a route of another product's clients."""
        url = self.platform.events_url.replace("/v1/events", f"/v1/compat/{path}")
        sent = {"content-type": "application/json", "x-api-key": key}
        return httpx.post(url, content=body, headers=sent, timeout=STILL_SECONDS)

    def put(self, data: bytes, partition_key: str = "test") -> None:
        """Write one record to the raw stream as a game server does."""
        stream = self.platform.outputs["raw_stream_name"]
        boto3.client("kinesis").put_record(StreamName=stream, Data=data, PartitionKey=partition_key)

    def event(self, event_type: str = "session_start", **fields: Any) -> dict[str, Any]:
        """Build a valid event of the game that happens now."""
        now = timestamp(datetime.now(UTC))
        return {
            "event_id": str(uuid4()),
            "event_type": event_type,
            "schema_version": "1-0-0",
            "game_id": self.game_id,
            "player_id": f"p-{uuid4()}",
            "session_id": str(uuid4()),
            "sequence": 0,
            "event_time": now,
            "sent_at": now,
            "client": {"platform": "ios", "app_version": "1.0.0"},
            "payload": {},
        } | fields


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS in memory (moto), whatever the emulator's tests of the same process have set."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    # DynamoDB checks a condition and writes in one step. moto's threads come between the two.
    one_at_a_time, answer = threading.RLock(), BotocoreStubber.process_request

    def process_request(stubber: BotocoreStubber, request: Any) -> Any:
        with one_at_a_time:
            return answer(stubber, request)

    monkeypatch.setattr(BotocoreStubber, "process_request", process_request)
    with mock_aws():
        yield


@pytest.fixture(scope="session")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """Share one platform among the tests of a session."""
    with own_platform(tmp_path_factory.mktemp("platform")) as platform:
        yield platform


@contextmanager
def own_platform(directory: Path) -> Iterator[Applied]:
    """Build, start, apply `local` and serve: all on free ports, beside whatever runs already."""
    build.build("local")
    patch = pytest.MonkeyPatch()
    with _emulator(directory / "emulator") as emulator, patch.context():
        for name, value in emulator.environment.items():
            patch.setenv(name, value)
        steps.watch(emulator)
        run = _terraform(directory)
        try:
            outputs = _apply(run)
        except AssertionError as failure:
            # On a busy machine the emulator may fail a call; the summary tells of it.
            warnings.warn(f"applied twice: {str(failure)[-1000:]}", stacklevel=2)
            emulator.stop()
            emulator.start()
            for state in directory.glob("infrastructure/environments/local/*.tfstate*"):
                state.unlink()
            outputs = _apply(run)
        list(lake_tables.create(outputs["lake_database"]))
        api = MetricsApi(free_port(), directory / "metrics_api")
        api.start({**outputs["metrics_api_environment"], "PYTHONPATH": _python_path()})
        try:
            game_id = "test-game"
            table, plan = games.registry(outputs)
            key = games.add_game(table, game_id, "Test", plan)
            with httpx.Client(base_url=api.address, timeout=STILL_SECONDS) as client:
                yield Applied(Platform(outputs, client), emulator, game_id, key, run)
        finally:
            api.stop()
            patch.undo()


def _emulator(directory: Path) -> AbstractContextManager[Emulator]:
    """Start one, unless another is to be tested: LocalStack in CI."""
    port = os.environ.get("TESTED_EMULATOR_PORT")
    if port:
        return nullcontext(Emulator(int(port), directory))
    return Emulator(free_port(), directory, keeps=True)


def _terraform(directory: Path) -> Callable[..., str]:
    """Return terraform in a copy of `local`, by arguments and settings; it returns what terraform prints."""
    ignored = shutil.ignore_patterns(".terraform", "*.tfstate*")
    copied = shutil.copytree(infrastructure.INFRASTRUCTURE, directory / "infrastructure", ignore=ignored)
    root = copied / "environments" / "local"
    packages = str(REPOSITORY / "build" / "local")
    environment = {**os.environ, **infrastructure.environment(), "TF_VAR_packages_directory": packages}

    def run(*arguments: str, **settings: str) -> str:
        answer = subprocess.run(
            ["terraform", *arguments, "-no-color"],
            cwd=root, env=environment | settings, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr
        return answer.stdout

    return run


def _apply(run: Callable[..., str]) -> dict[str, Any]:
    run("init", *infrastructure.init_arguments())
    run("apply", "-auto-approve", "-input=false")
    outputs: dict[str, Any] = json.loads(run("output", "-json", "platform"))
    return outputs


def _python_path() -> str:
    root = REPOSITORY
    return os.pathsep.join(
        map(str, (root / "functions", root / "functions/layers/telemetry", root / "scripts"))
    )
