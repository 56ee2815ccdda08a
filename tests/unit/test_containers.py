"""The container of the API: what it copies is there, and is enough for its command to answer."""

import importlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml
from metrics_api.app import app
from metrics_api.lake_answers import lake_reader
from tools import emulator, metrics_api
from tools.progress import STILL_SECONDS, wait_for

REPOSITORY = Path(__file__).resolve().parents[2]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
STAGES = re.split(r"^(?=FROM )", DOCKERFILE, flags=re.MULTILINE)
(MICRO,) = (stage for stage in STAGES if re.match(r"FROM \S+ AS micro$", stage, re.MULTILINE))
API = STAGES[-1]


def copies(stage: str) -> list[tuple[str, str]]:
    """Return what a stage copies from the repository, and where to."""
    return re.findall(r"^COPY (?!--from)(\S+) (\S+)$", stage, re.MULTILINE)


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    kept = [
        line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")
    ]
    found = copies(DOCKERFILE)
    assert len(found) > 8
    for source, _ in found:
        assert (REPOSITORY / source).exists()
        assert any(Path(source).is_relative_to(path) for path in kept), source


def test_base_is_pinned_by_digest_and_no_server_is_root() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 4
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}", bases[0])
    for stage in (MICRO, API):
        assert re.search(r"^USER [1-9]\d+:", stage, re.MULTILINE)


def test_compose_listens_on_this_machine_only() -> None:
    services = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    ports = [port for service in services.values() for port in service["ports"]]
    assert len(ports) == len(services)
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert all(":" in service["image"] for service in services.values() if "build" not in service)


def test_api_finds_whichever_emulator_runs_and_both_enforce_iam() -> None:
    services = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    assert services["api"]["environment"]["AWS_ENDPOINT_URL"] == "http://emulator:4566"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        assert services["api"]["environment"][name] == emulator.current().environment[name]
    for name in ("ministack", "localstack"):
        assert services[name]["networks"]["emulator"]["aliases"] == ["emulator"]
        assert services[name]["profiles"] == [name]
    iam = {"ministack": ("AUTH", "true"), "localstack": ("ENFORCE_IAM", "1")}
    for name, (variable, value) in iam.items():
        assert services[name]["environment"][variable] == value
    assert services["api"]["environment"].get("ALLOWED_HOSTS") is None


def unpacked(stage: str, root: Path) -> Path:
    """Copy what a stage holds beside packages."""
    for source, target in copies(stage):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / source, root / target, ignore=ignored)
    return root


def test_image_runs_what_the_demo_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo replaces the reader of gold alone: the image holds no engine."""
    monkeypatch.setattr(app, "dependency_overrides", {})
    module, _, factory = metrics_api.APP.partition(":")
    assert getattr(importlib.import_module(module), factory)() is app
    assert list(app.dependency_overrides) == [lake_reader]
    assert '"-m", "uvicorn", "metrics_api.app:app"' in DOCKERFILE


def test_emulators_image_is_the_version_that_tests_run_on() -> None:
    (version,) = re.findall(
        r"^ministack==(\S+)$", (REPOSITORY / "requirements.txt").read_text(), re.MULTILINE
    )
    assert f"image: ministackorg/ministack:{version}\n" in (REPOSITORY / "docker-compose.yml").read_text()


def test_micro_answers_with_only_what_is_copied(tmp_path: Path) -> None:
    image, port = unpacked(MICRO, tmp_path), emulator.free_port()
    (command,) = re.findall(r"^CMD (\[.+\])$", MICRO, re.MULTILINE)
    (health,) = re.findall(r"urlopen\('(.+)'\)", MICRO)
    path = ":".join(f"{image}/{part}" for part in ("functions", "functions/layers/telemetry", "scripts"))
    with subprocess.Popen(
        [sys.executable, "-P", *json.loads(command)[1:], "--port", str(port)],
        cwd=image,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path},
    ) as server:
        try:
            assert _answer(health.replace("9090", str(port)), server).json()["total"] == 0
        finally:
            server.terminate()


def test_command_answers_with_only_what_is_copied(tmp_path: Path) -> None:
    image = unpacked(API, tmp_path)
    (command,) = re.findall(r"^CMD (\[.+\])$", API, re.MULTILINE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    arguments = [part.replace("8000", port) for part in json.loads(command)[1:]]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{image}/functions:{image}/functions/layers/telemetry",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    with subprocess.Popen([sys.executable, "-P", *arguments], cwd=image, env=environment) as server:
        try:
            address = f"http://127.0.0.1:{port}/openapi.json"
            assert _answer(address, server).status_code == 200
            # Compose publishes the port on this machine, where a page of another site could lead its name.
            assert httpx.get(address, headers={"host": "evil.example"}).status_code == 400
        finally:
            server.terminate()


def _answer(address: str, server: subprocess.Popen[bytes]) -> httpx.Response:
    def answer() -> httpx.Response | None:
        try:
            return httpx.get(address, timeout=STILL_SECONDS)
        except httpx.TransportError:
            return None

    return wait_for(f"an answer of {address}", answer, process=server)
