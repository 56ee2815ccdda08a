"""Jars are those that the lock has: recorded at the first download, refused where they differ later."""

import hashlib
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest
from tools import CommandError, build, jars

ONE = jars.JarSet("one", ("org.example:first:1.0",))


class Maven:
    """What Ivy would download, without Java."""

    def __init__(self) -> None:
        self.jars = {"first-1.0.jar": b"first"}
        self.asked = 0
        self.online = True

    def download(self, wanted: jars.JarSet, directory: Path) -> None:
        self.asked += 1
        if not self.online:
            raise jars.JarsMissing(f"{wanted.coordinates[0]} cannot be downloaded")
        directory.mkdir(parents=True)
        for name, content in self.jars.items():
            (directory / name).write_bytes(content)


@pytest.fixture
def maven(monkeypatch: pytest.MonkeyPatch) -> Maven:
    maven = Maven()
    monkeypatch.setattr(jars, "_download", maven.download)
    monkeypatch.delenv("CI", raising=False)
    return maven


def test_first_download_is_recorded_and_kept(maven: Maven, tmp_path: Path) -> None:
    lock, cache = tmp_path / "jars.lock", tmp_path / "cache"
    (jar,) = jars.resolve(ONE, cache, lock)
    assert jar.read_bytes() == b"first"
    assert lock.read_text() == f"{hashlib.sha256(b'first').hexdigest()}  first-1.0.jar\n"
    maven.online = False
    assert jars.resolve(ONE, cache, lock) == [jar]
    assert maven.asked == 1


def test_ci_uses_recorded_jars_only(maven: Maven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "jars.lock"
    monkeypatch.setenv("CI", "true")
    with pytest.raises(jars.JarsMissing, match=r"jars.lock has no SHA-256 sum of first-1.0.jar"):
        jars.resolve(ONE, tmp_path / "cache", lock)
    assert not lock.exists()
    monkeypatch.delenv("CI")
    (jar,) = jars.resolve(ONE, tmp_path / "cache", lock)
    monkeypatch.setenv("CI", "true")
    assert jars.resolve(ONE, tmp_path / "cache", lock) == [jar]


def test_another_file_of_the_same_name_is_refused_and_not_kept(maven: Maven, tmp_path: Path) -> None:
    lock = tmp_path / "jars.lock"
    jars.resolve(ONE, tmp_path / "cache", lock)
    locked = lock.read_text()
    maven.jars["first-1.0.jar"] = b"another"
    for _ in range(2):
        with pytest.raises(CommandError, match=r"first-1.0.jar is not the jar of jars.lock"):
            jars.resolve(ONE, tmp_path / "other", lock)
    assert lock.read_text() == locked


def test_a_jar_that_was_changed_here_is_refused(maven: Maven, tmp_path: Path) -> None:
    lock, cache = tmp_path / "jars.lock", tmp_path / "cache"
    (jar,) = jars.resolve(ONE, cache, lock)
    jar.write_bytes(b"changed")
    with pytest.raises(CommandError, match=r"Remove .* to download it again"):
        jars.resolve(ONE, cache, lock)


def test_a_machine_without_network_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = ":: org.example#first;1.0: not found\n\tServer access error\n"
    answer = subprocess.CompletedProcess[str]([], 1, stdout=said, stderr="")
    monkeypatch.setattr(jars.SPARK.__class__, "install", lambda _: None)
    libraries = tmp_path / "lib" / "python3" / "site-packages" / "pyspark" / "jars"
    libraries.mkdir(parents=True)
    monkeypatch.setattr(jars.SPARK.__class__, "environment", tmp_path)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    with pytest.raises(jars.JarsMissing, match=r"(?s)first:1.0 cannot be downloaded.*IVY_SETTINGS"):
        jars.resolve(ONE, tmp_path / "cache", tmp_path / "jars.lock")
    assert not (tmp_path / "jars.lock").exists()


def test_the_lock_has_every_jar_once() -> None:
    lines = [line.split() for line in jars.LOCK.read_text().splitlines()]
    names = [name for _, name in lines]
    assert names == sorted(set(names))
    assert all(len(digest) == 64 for digest, _ in lines)


@pytest.fixture
def application(tmp_path: Path, maven: Maven, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose only package is the Flink application."""
    monkeypatch.setattr(jars, "LOCK", tmp_path / "jars.lock")
    monkeypatch.setattr(jars.resolve, "__defaults__", (jars.CACHE, tmp_path / "jars.lock"))
    source = tmp_path / "functions" / "realtime_analytics"
    source.mkdir(parents=True)
    for name in ("main.py", "__init__.py"):
        (source / name).write_text(name)
    (tmp_path / "functions" / "layers" / "telemetry" / "telemetry").mkdir(parents=True)
    (tmp_path / "event-schemas").mkdir()
    for name in ("metrics.json", "patterns.json"):
        (tmp_path / "event-schemas" / name).write_text("{}")
    return tmp_path


def test_only_the_package_for_aws_holds_the_connector(application: Path, maven: Maven) -> None:
    names = {}
    for target in build.TARGETS:
        built = next(one for one in build.build(target, application) if "realtime" in one.path.name)
        with ZipFile(built.path) as archive:
            names[target] = [name for name in archive.namelist() if name.startswith("lib/")]
    assert names == {"local": [], "aws": ["lib/connectors.jar"]}


def test_a_connector_that_cannot_be_had_stops_the_build_for_aws_alone(
    application: Path, maven: Maven
) -> None:
    maven.online = False
    build.build("local", application)
    with pytest.raises(jars.JarsMissing, match=r"kinesis-streams:5.1.0-1.20 cannot be"):
        build.build("aws", application)
    left_out = build.unobtainable(application)
    assert list(left_out) == ["realtime_analytics"]
    assert build.build("aws", application, left_out)
