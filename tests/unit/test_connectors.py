"""Connectors are what was reviewed, or nothing is built."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from zipfile import ZipFile, ZipInfo

import pytest
from tools import CommandError, build, connectors

PATH = "org/example/{0}/1.0/{0}-1.0.jar"
FIRST = {"org/example/First.class": b"first"}
SECOND = {"org/example/Second.class": b"second"}


class Mirror:
    """A Maven repository on this machine, and a connectors.json that wants one of its jars."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "repository"
        self.pins = directory / "functions" / "realtime" / "connectors.json"
        self.cache = directory / "cache"
        self.requests: list[str] = []
        self.publish("first", FIRST)
        self.publish("second", SECOND)
        self.want(second=None)

    def publish(self, artifact: str, files: Mapping[str, bytes], algorithm: str = "sha1") -> str:
        """Publish a jar with one checksum; return its SHA-512."""
        content = _jar(files)
        path = self.directory / PATH.format(artifact)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.with_name(f"{path.name}.{algorithm}").write_text(hashlib.new(algorithm, content).hexdigest())
        return hashlib.sha512(content).hexdigest()

    def want(self, **sha512: str | None) -> None:
        """Write connectors.json."""
        wanted = [
            {"group": "org.example", "artifact": artifact, "version": "1.0", "sha512": checksum}
            for artifact, checksum in sha512.items()
        ]
        self.pins.parent.mkdir(parents=True, exist_ok=True)
        self.pins.write_text(json.dumps(wanted))


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    mirror = Mirror(tmp_path)

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, *_: object) -> None:
            mirror.requests.append(self.path.rpartition("/")[2])

        def log_error(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(mirror.directory)))
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("MAVEN_REPOSITORY_URL", f"http://127.0.0.1:{server.server_address[1]}")
    yield mirror
    server.shutdown()
    server.server_close()


def _jar(files: Mapping[str, bytes]) -> bytes:
    content = BytesIO()
    with ZipFile(content, "w") as jar:
        for name, text in {"META-INF/": b"", **files}.items():
            jar.writestr(ZipInfo(name), text)
    return content.getvalue()


def test_unpinned_connector_is_not_even_downloaded(mirror: Mirror) -> None:
    with pytest.raises(CommandError, match=r"second 1\.0 has no checksum in .*build --pin-connectors"):
        connectors.fetch(mirror.pins, mirror.cache)
    assert not mirror.requests


def test_pinned_connector_is_downloaded_once(mirror: Mirror) -> None:
    connectors.pin(mirror.pins)
    mirror.requests.clear()
    jar = connectors.fetch(mirror.pins, mirror.cache)
    assert jar.read_bytes() == _jar(SECOND)
    assert connectors.fetch(mirror.pins, mirror.cache) == jar
    assert mirror.requests == ["second-1.0.jar"]


def test_connector_that_is_not_the_pinned_one_is_refused(mirror: Mirror) -> None:
    connectors.pin(mirror.pins)
    changed = mirror.publish("second", {"org/example/Second.class": b"something else"})
    with pytest.raises(
        CommandError, match=rf"second-1\.0\.jar is not what .* pins: its SHA-512 is {changed}"
    ):
        connectors.fetch(mirror.pins, mirror.cache)
    assert not mirror.cache.exists()


def test_missing_connector_is_told(mirror: Mirror) -> None:
    mirror.want(third="0" * 128)
    with pytest.raises(CommandError, match=r"third-1\.0\.jar cannot be downloaded: 404"):
        connectors.fetch(mirror.pins, mirror.cache)


def test_pins_are_written_where_repository_and_download_agree(mirror: Mirror) -> None:
    pinned = mirror.publish("second", SECOND, algorithm="sha512")
    mirror.want(second="0" * 128)
    connectors.pin(mirror.pins)
    assert [connector.sha512 for connector in connectors.read(mirror.pins)] == [pinned]


@pytest.mark.parametrize("algorithm", connectors.CHECKSUMS)
def test_nothing_is_pinned_that_differs_from_what_is_published(mirror: Mirror, algorithm: str) -> None:
    before = mirror.pins.read_text()
    path = mirror.directory / PATH.format("second")
    path.with_name(f"{path.name}.{algorithm}").write_text(hashlib.new(algorithm, b"another").hexdigest())
    with pytest.raises(
        CommandError, match=rf"second-1\.0\.jar is not what its repository's {algorithm} says"
    ):
        connectors.pin(mirror.pins)
    assert mirror.pins.read_text() == before


def test_nothing_is_pinned_without_a_published_checksum(mirror: Mirror) -> None:
    path = mirror.directory / PATH.format("second")
    path.with_name(f"{path.name}.sha1").unlink()
    with pytest.raises(CommandError, match=r"no checksum is published beside .*second-1\.0\.jar"):
        connectors.pin(mirror.pins)


def test_plain_http_is_refused(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAVEN_REPOSITORY_URL", "http://maven.example")
    with pytest.raises(CommandError, match="over TLS only"):
        connectors.pin(mirror.pins)


def test_package_holds_the_application_as_managed_flink_wants_it(mirror: Mirror, tmp_path: Path) -> None:
    application = mirror.pins.parent
    for name in ("main.py", "__init__.py", "sql/windows.sql"):
        (application / name).parent.mkdir(parents=True, exist_ok=True)
        (application / name).write_text(name)
    (tmp_path / "functions" / "layers" / "telemetry" / "telemetry").mkdir(parents=True)
    own = ["main.py", "realtime/__init__.py", "realtime/sql/windows.sql"]

    assert _application("local", tmp_path) == own

    with pytest.raises(CommandError, match="no checksum"):
        build.build("aws", tmp_path)
    assert [package.name for package in build.unpinned(tmp_path)] == ["realtime"]
    build.build("aws", tmp_path, left_out=build.unpinned(tmp_path))
    assert not (tmp_path / "build" / "aws" / "realtime.zip").exists()

    connectors.pin(mirror.pins)
    assert not build.unpinned(tmp_path)
    assert _application("aws", tmp_path) == ["lib/connectors.jar", *own]
    with (
        ZipFile(tmp_path / "build" / "aws" / "realtime.zip") as package,
        ZipFile(BytesIO(package.read("lib/connectors.jar"))) as jar,
    ):
        assert jar.read("org/example/Second.class") == b"second"


def _application(target: str, root: Path) -> list[str]:
    path = root / "build" / target / "realtime.zip"
    assert path in [built.path for built in build.build(target, root)]
    with ZipFile(path) as package:
        return package.namelist()
