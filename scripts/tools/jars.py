"""Java libraries by their Maven coordinates, each checked against the SHA-256 sum in jars.lock.

Ivy, which PySpark brings, resolves and downloads them. It knows Maven Central; IVY_SETTINGS may name an
ivysettings.xml with another repository. A jar that the lock does not know is recorded at its first download,
and refused where CI is set: nobody would read and commit its sum there, so each download would be the first.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from tools import REPOSITORY, CommandError
from tools.engine import SPARK

LOCK = Path(__file__).with_name("jars.lock")
CACHE = REPOSITORY / "build" / "jars"
SECONDS = 600
MESSAGE_LINES = 6


class JarsMissing(CommandError):
    """Jars cannot be had on this machine now; the message says why."""


@dataclass(frozen=True, slots=True)
class JarSet:
    """Libraries that belong together, as group:artifact:version, with all that they depend on.

    `excluded` are group:artifact that are left out; Ivy takes * for any artifact. A set that is not
    transitive has the named libraries alone.
    """

    name: str
    coordinates: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    transitive: bool = True

    @property
    def digest(self) -> str:
        """What changes when other jars are wanted."""
        return hashlib.sha256(repr((self.coordinates, self.excluded, self.transitive)).encode()).hexdigest()[
            :16
        ]

    def ivy(self) -> str:
        """Return the set as an Ivy module."""
        wanted = "".join(
            f"<dependency org={group} name={artifact} rev={version} conf='default'"
            f" transitive='{str(self.transitive).lower()}'/>"
            for group, artifact, version in (_quoted(one) for one in self.coordinates)
        )
        left_out = "".join(
            f"<exclude org={group} module={artifact}/>" for group, artifact in map(_quoted, self.excluded)
        )
        return (
            "<ivy-module version='2.0'><info organisation='local' module='jars'/>"
            "<configurations><conf name='default'/></configurations>"
            f"<dependencies>{wanted}{left_out}</dependencies></ivy-module>"
        )


# What the batch job needs besides Spark to reach Glue and S3: on AWS the EMR release brings these.
# Spark has its own Jackson, Netty and logging; the bundle of the first SDK has 270 MB.
ICEBERG = JarSet(
    "iceberg",
    (
        "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.2",
        *(
            f"software.amazon.awssdk:{module}:2.33.0"
            for module in ("s3", "glue", "sts", "kms", "dynamodb", "url-connection-client")
        ),
        "org.apache.hadoop:hadoop-aws:3.3.4",
        *(f"com.amazonaws:aws-java-sdk-{module}:1.12.262" for module in ("s3", "dynamodb", "sts")),
    ),
    (
        "com.amazonaws:aws-java-sdk-bundle", "com.fasterxml.jackson.core:*", "io.netty:*", "org.slf4j:*",
        "software.amazon.awssdk:netty-nio-client",
    ),
)  # fmt: skip


def resolve(jars: JarSet, cache: Path = CACHE, lock: Path = LOCK) -> list[Path]:
    """Return the jars of a set, downloaded where the cache does not have them.

    Raises JarsMissing where they cannot be had or, in CI, the lock lacks one; CommandError where one is not
    the one of the lock.
    """
    directory = cache / f"{jars.name}-{jars.digest}"
    with _locked(cache):
        if not directory.is_dir():
            with tempfile.TemporaryDirectory(dir=cache) as temporary:
                downloaded = Path(temporary) / jars.name
                _download(jars, downloaded)
                _record(downloaded, lock)
                downloaded.rename(directory)
        found = sorted(directory.glob("*.jar"))
        known = read(lock)
        for jar in found:
            _check(jar, known, lock)
    return found


def read(lock: Path = LOCK) -> dict[str, str]:
    """Return the SHA-256 sums of a lock file by the name of the jar."""
    if not lock.is_file():
        return {}
    return {name: digest for digest, name in (line.split() for line in lock.read_text().splitlines())}


def _check(jar: Path, known: Mapping[str, str], lock: Path) -> None:
    found = _digest(jar)
    if known.get(jar.name) != found:
        raise CommandError(
            f"{jar} is not the jar of {lock.name}: its SHA-256 is {found}, the lock has "
            f"{known.get(jar.name, 'none')}. Remove {jar.parent} to download it again; if it still differs, "
            "the repository serves another file than the one that was recorded"
        )


def _record(downloaded: Path, lock: Path) -> None:
    """Add the jars that the lock does not know yet."""
    known = read(lock)
    new = {jar.name: _digest(jar) for jar in downloaded.glob("*.jar") if jar.name not in known}
    if new and os.environ.get("CI"):
        raise JarsMissing(
            f"{lock.name} has no SHA-256 sum of {', '.join(sorted(new))}, and CI uses recorded jars only. "
            "Run `scripts/build --target aws` on a machine of yours, and commit the file"
        )
    for jar in downloaded.glob("*.jar"):
        if jar.name in known:
            _check(jar, known, lock)
    if new:
        lines = sorted((known | new).items())
        lock.write_text("".join(f"{digest}  {name}\n" for name, digest in lines))
        print(f"{lock.name}: recorded {', '.join(sorted(new))}; commit it", flush=True)


def _download(jars: JarSet, directory: Path) -> None:
    """Have Ivy put the jars into a directory."""
    SPARK.install()
    (libraries,) = SPARK.environment.glob("lib/python*/site-packages/pyspark/jars")
    classpath = os.pathsep.join(
        str(jar) for name in ("ivy", "commons-cli") for jar in libraries.glob(f"{name}-[0-9]*.jar")
    )
    module = directory.with_suffix(".xml")
    module.write_text(jars.ivy())
    settings = os.environ.get("IVY_SETTINGS")
    command = [
        "java", "-cp", classpath, "org.apache.ivy.Main", *(["-settings", settings] if settings else []),
        "-ivy", str(module), "-confs", "default", "-types", "jar",
        "-retrieve", f"{directory}/[artifact]-[revision](-[classifier]).[ext]",
    ]  # fmt: skip
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise JarsMissing(f"{_named(jars)}: no answer within {SECONDS} s; is this machine online?") from None
    if answer.returncode or not any(directory.glob("*.jar")):
        shutil.rmtree(directory, ignore_errors=True)
        raise JarsMissing(
            f"{_named(jars)} cannot be downloaded. This needs access to Maven Central, or to the repository "
            f"that the file in IVY_SETTINGS names. Ivy says:\n{_words(answer.stdout + answer.stderr)}"
        )


def _named(jars: JarSet) -> str:
    first, *others = jars.coordinates
    return f"{first} and {len(others)} more" if others else first


def _words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines()]
    told = [line for line in lines if any(mark in line for mark in ("not found", "Exception", "ERROR"))]
    return "\n".join((told or lines)[:MESSAGE_LINES])


def _quoted(coordinate: str) -> Iterator[str]:
    yield from map(quoteattr, coordinate.split(":"))


def _digest(jar: Path) -> str:
    with jar.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    """Let one process at a time change the cache."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
