"""Flink's table connectors as jars: the published one with ours beside it, and the emulator's test double."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from tools import REPOSITORY, CommandError, jars

EPOCH = (1980, 1, 1, 0, 0, 0)
SERVICES = "META-INF/services/org.apache.flink.table.factories.Factory"
BY_SHARD = REPOSITORY / "functions" / "realtime_analytics" / "java"
DOUBLE = Path(__file__).parent / "flink" / "connector"
# Managed Service for Apache Flink 1.20 runs Java 11.
JAVA_ON_AWS = 11
PUBLISHED = jars.JarSet(
    "kinesis", ("org.apache.flink:flink-sql-connector-aws-kinesis-streams:5.1.0-1.20",), transitive=False
)
# What our own connector is compiled against.
API = jars.JarSet(
    "flink-api",
    tuple(
        f"org.apache.flink:flink-{module}:1.20.4"
        for module in (
            "annotations", "core", "core-api", "streaming-java", "table-api-java-bridge", "table-common",
        )
    ),
    transitive=False,
)  # fmt: skip


def with_factories(published: Path, sources: Sequence[Path], api: Sequence[Path], jar: Path) -> None:
    """Write the published connector and what the sources define into one jar, the same each time."""
    with ZipFile(published) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    listed = files.get(SERVICES, b"").decode().split()
    files |= compiled(sources, ":".join(map(str, api)), JAVA_ON_AWS)
    files[SERVICES] = "\n".join([*listed, *factories(sources), ""]).encode()
    write(jar, files)


def write_double(flink_libraries: Path, jar: Path) -> None:
    """Write the emulator's connector and ours into a jar."""
    sources = double_sources()
    files = compiled(sources, f"{flink_libraries}/*", 17)
    write(jar, files | {SERVICES: "\n".join([*factories(sources), ""]).encode()})


def double_sources() -> list[Path]:
    """Return the sources of the emulator's connector and of ours."""
    return sorted([*DOUBLE.glob("*.java"), *BY_SHARD.glob("*.java")])


def double_digest() -> str:
    """Return what changes when those sources do."""
    return hashlib.sha256(b"".join(source.read_bytes() for source in double_sources())).hexdigest()[:12]


def factories(sources: Sequence[Path]) -> list[str]:
    """Return the classes that Flink must know by name."""
    return [source.stem for source in sources if source.stem.endswith("Factory")]


def require_compiler() -> None:
    """Raise JarsMissing where this machine cannot compile Java."""
    if not shutil.which("javac"):
        raise jars.JarsMissing(
            "Flink's connector is compiled with javac, which is not on PATH: install a JDK"
        )


def compiled(sources: Sequence[Path], classpath: str, release: int) -> dict[str, bytes]:
    """Return the classes of Java sources by file name. Raises JarsMissing where there is no compiler."""
    require_compiler()
    with tempfile.TemporaryDirectory() as directory:
        command = [
            "javac",
            "-nowarn",
            "-Xlint:none",
            "--release",
            str(release),
            "-cp",
            classpath,
            "-d",
            directory,
        ]
        answer = subprocess.run([*command, *map(str, sources)], capture_output=True, text=True, check=False)
        if answer.returncode:
            raise CommandError(f"javac failed:\n{answer.stderr}")
        return {
            str(path.relative_to(directory)): path.read_bytes() for path in Path(directory).rglob("*.class")
        }


def write(jar: Path, files: Mapping[str, bytes]) -> None:
    """Write a jar whose bytes depend on the files alone."""
    jar.parent.mkdir(parents=True, exist_ok=True)
    partial = jar.with_suffix(f".{os.getpid()}.partial")
    with ZipFile(partial, "w") as archive:
        for name in sorted(files):
            archive.writestr(ZipInfo(name, EPOCH), files[name], ZIP_DEFLATED)
    partial.replace(jar)
