"""The Flink application's Java connector: fetched by pinned checksum."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import httpx

from tools import CommandError

REPOSITORY_URL = "https://repo.maven.apache.org/maven2"
# Best first; repositories publish different ones beside an artifact.
CHECKSUMS = ("sha512", "sha256", "sha1")
LOOPBACK = ("127.0.0.1", "localhost")
SECONDS = 120


@dataclass(frozen=True, slots=True)
class Connector:
    """An artifact of a Maven repository; without a checksum it is not built with."""

    group: str
    artifact: str
    version: str
    sha512: str | None

    @property
    def path(self) -> str:
        """Return where a Maven repository keeps the jar."""
        folder = f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}"
        return f"{folder}/{self.artifact}-{self.version}.jar"


def read(file: Path) -> list[Connector]:
    """Return what connectors.json names."""
    return [Connector(**entry) for entry in json.loads(file.read_text())]


def fetch(file: Path, cache: Path) -> Path:
    """Return the jar that connectors.json names, downloaded where the cache lacks its checksum.

    The service takes one jar, and the SQL connectors of two services hold different classes of one name.
    Raises CommandError where it has no checksum, cannot be had, or is not the one that was pinned.
    """
    (connector,) = read(file)
    return _cached(connector, file, cache)


def pin(file: Path) -> list[Connector]:
    """Write the checksum of each artifact into connectors.json, for review; return them.

    Raises CommandError where a download differs from the checksum that its repository publishes.
    """
    pinned = [replace(connector, sha512=_published(connector)) for connector in read(file)]
    file.write_text(json.dumps([asdict(connector) for connector in pinned], indent=2) + "\n")
    return pinned


def _cached(connector: Connector, file: Path, cache: Path) -> Path:
    if not connector.sha512:
        raise CommandError(
            f"{connector.artifact} {connector.version} has no checksum in {file}: "
            "run `scripts/build --pin-connectors`, review and commit what it writes"
        )
    jar = cache / f"{connector.sha512}.jar"
    if not jar.is_file():
        content = _download(connector.path)
        found = hashlib.sha512(content).hexdigest()
        if found != connector.sha512:
            raise CommandError(f"{connector.path} is not what {file} pins: its SHA-512 is {found}")
        cache.mkdir(parents=True, exist_ok=True)
        partial = jar.with_suffix(f".{os.getpid()}.partial")
        partial.write_bytes(content)
        partial.replace(jar)
    return jar


def _published(connector: Connector) -> str:
    content = _download(connector.path)
    for algorithm in CHECKSUMS:
        answer = _get(f"{connector.path}.{algorithm}")
        if answer.is_success:
            if hashlib.new(algorithm, content).hexdigest() not in answer.text.lower().split():
                raise CommandError(f"{connector.path} is not what its repository's {algorithm} says")
            return hashlib.sha512(content).hexdigest()
    raise CommandError(f"no checksum is published beside {connector.path}")


def _download(path: str) -> bytes:
    answer = _get(path)
    if not answer.is_success:
        raise CommandError(f"{answer.url} cannot be downloaded: {answer.status_code} {answer.reason_phrase}")
    return answer.content


def _get(path: str) -> httpx.Response:
    """Ask the Maven repository, or the mirror that MAVEN_REPOSITORY_URL names, for a file."""
    url = httpx.URL(f"{os.environ.get('MAVEN_REPOSITORY_URL') or REPOSITORY_URL}/{path}")
    if url.scheme != "https" and url.host not in LOOPBACK:
        raise CommandError(f"{url}: connectors are downloaded over TLS only")
    try:
        return httpx.get(url, timeout=SECONDS)
    except httpx.HTTPError as error:
        raise CommandError(f"{url} cannot be downloaded: {error}") from None
