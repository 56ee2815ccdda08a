"""The Flink job on this machine: its own environment, a mini-cluster, the emulator's streams."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tools import REPOSITORY, Arguments, CommandError, connectors, progress, run
from tools.background import Background
from tools.engine import FLINK, EngineMissing

HERE = Path(__file__).parent / "flink"
PUBLISHED = "FLINK_CONNECTOR=published"

# The job is short or has little to do here: the optimizing compiler takes more CPU time than it saves.
# The emulator does not speak CBOR, which the SDK of the published connector prefers.
JAVA_OPTIONS = "-Xmx1536m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Daws.cborEnabled=false"

ADVICE = "A busy machine starts it slowly. End what else runs here, or read its log, and start it again."

Groups = list[dict[str, object]]


def install() -> None:
    """Install PyFlink where it is not yet, and compile the emulator's connector. Raises EngineMissing."""
    FLINK.install()
    compiled_connector()


def compiled_connector() -> Path:
    """Return the jar of the emulator's connector; compile it where no jar of these sources is there."""
    jar = FLINK.environment / f"emulator-connector-{connectors.double_digest()}.jar"
    if not jar.exists():
        (libraries,) = FLINK.environment.glob("lib/python*/site-packages/pyflink/lib")
        connectors.write_double(libraries, jar)
    return jar


def published_connector() -> Path:
    """Return the jar that AWS runs, from the package for AWS. Raises CommandError where it is missing."""
    package = REPOSITORY / "build" / "aws" / "realtime_analytics.zip"
    if not package.exists():
        raise CommandError(f"{PUBLISHED} needs {package}: run scripts/build --target aws")
    jar = package.with_suffix(".connectors.jar")
    with zipfile.ZipFile(package) as archive:
        jar.write_bytes(archive.read("lib/connectors.jar"))
    return jar


def connector() -> Path:
    """Return the jar of connectors: the emulator's, or the published one where it is asked for."""
    if os.environ.get("FLINK_CONNECTOR") == "published":
        return published_connector()
    return compiled_connector()


def flink_options(directory: Path, parallelism: int, jar: Path) -> dict[str, str]:
    """Return what the service sets on AWS, for a job of so many tasks."""
    return {
        "pipeline.jars": jar.as_uri(),
        "parallelism.default": str(parallelism),
        "taskmanager.memory.managed.size": "512 mb",
        "state.backend.type": "rocksdb",
        "io.tmp.dirs": str(directory / "tmp"),
        "state.backend.rocksdb.log.dir": str(directory / "tmp"),
        "execution.checkpointing.interval": "10 s",
        "execution.checkpointing.dir": (directory / "checkpoints").as_uri(),
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": "10",
        "restart-strategy.fixed-delay.delay": "2 s",
        # Everything runs in one process, so silence means that the machine is busy, not that a part died.
        "heartbeat.timeout": "10 min",
        "pekko.ask.timeout": "10 min",
    }


@dataclass(frozen=True, slots=True)
class RealtimeJob:
    """The job's process and the directory of its properties, checkpoints, savepoints and log."""

    directory: Path = REPOSITORY / ".local" / "flink"

    def start(self, groups: Groups, endpoint: str, parallelism: int = 2, savepoint: str = "") -> None:
        """Launch it and wait until it runs. Raises CommandError where the job does not come to run."""
        child = self.launch(groups, endpoint, parallelism, savepoint)
        try:
            progress.wait_for(
                "the start of the Flink job",
                lambda: self.state() == "running",
                process=child,
                log=self.log,
                advice=ADVICE,
            )
        except progress.Stuck:
            self.kill()
            raise

    def launch(
        self, groups: Groups, endpoint: str, parallelism: int = 2, savepoint: str = ""
    ) -> "subprocess.Popen[bytes]":
        """Start its process with the application's property groups, from a savepoint where one is given."""
        merged = {str(group["PropertyGroupId"]): dict(group["PropertyMap"]) for group in groups}  # type: ignore[call-overload]
        merged["streams"]["endpoint"] = endpoint
        merged["flink"] = flink_options(self.directory, parallelism, connector())
        if savepoint:
            merged["flink"]["execution.state-recovery.path"] = savepoint
        merged.pop("kinesis.analytics.flink.run.options", None)
        properties = self.directory / "properties.json"
        shutil.rmtree(self.directory / "tmp", ignore_errors=True)
        (self.directory / "tmp").mkdir(parents=True)
        listed = [{"PropertyGroupId": name, "PropertyMap": values} for name, values in merged.items()]
        properties.write_text(json.dumps(listed, indent=2))
        return self._background.start(
            "-W", "ignore", str(HERE / "run.py"), str(properties), (self.directory / "savepoints").as_uri(),
            environment={"PYTHONPATH": str(REPOSITORY / "functions"), "JAVA_TOOL_OPTIONS": JAVA_OPTIONS},
            python=FLINK.python,
        )  # fmt: skip

    def state(self) -> str:
        """Return whether it is `running`, `starting` or `ended`."""
        if self._background.process() is None:
            return "ended"
        return "running" if "running" in self._printed() else "starting"

    def stop(self) -> str:
        """Stop with a savepoint and return the savepoint's place.

        Raises CommandError where the savepoint makes no progress, or where the job ended without one.
        """
        self._background.finish("the savepoint of the Flink job")
        savepoint = self._printed().get("savepoint")
        if not savepoint:
            raise CommandError(
                f"The Flink job ended without a savepoint. Log: {self.log}\n{progress.log_tail(self.log)}"
            )
        return savepoint

    def kill(self) -> None:
        """End it at once, without a savepoint."""
        self._background.stop(seconds=0)

    def cpu_seconds(self) -> float:
        """Return the CPU seconds that the job has used; 0 where it does not run."""
        process = self._background.process()
        return progress.cpu_seconds(process.pid) if process else 0.0

    @property
    def log(self) -> Path:
        """What the job prints."""
        return self._background.log

    @property
    def _background(self) -> Background:
        return Background(self.directory)

    def _printed(self) -> dict[str, str]:
        """Return what run.py says: `running <job>`, `savepoint <place>`."""
        try:
            lines = self._background.log.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return {}
        return dict(line.split(" ", 1) for line in lines if re.match(r"(running|savepoint) \S+$", line))


def main() -> None:
    """Install what the job needs, or say what is missing."""
    parser = Arguments(prog="scripts/realtime", description=__doc__, examples=("scripts/realtime install",))
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "install", help="install PyFlink into .venv-flink and compile the connector"
    )
    command.add_argument(
        "--optional", action="store_true", help="where the machine lacks something, say so and go on"
    )
    options = parser.parse_args()
    try:
        install()
    except EngineMissing as missing:
        if not options.optional:
            raise
        print(f"Real-time windows are off: {missing}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
