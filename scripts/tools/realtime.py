"""The Flink job on this machine: its own environment, a mini-cluster, the emulator's streams."""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tools import REPOSITORY, CommandError, progress, run
from tools.background import Background
from tools.engine import FLINK, EngineMissing

HERE = Path(__file__).parent / "flink"
CONNECTOR = FLINK.environment / "emulator-connector.jar"
SERVICE = "META-INF/services/org.apache.flink.table.factories.Factory"

Groups = list[dict[str, object]]


def install() -> None:
    """Install PyFlink where it is not yet, and compile the emulator's connector. Raises EngineMissing."""
    FLINK.install()
    compile_connector()


def compile_connector(jar: Path = CONNECTOR) -> None:
    """Compile the emulator's `kinesis` connector into a jar, where its source is newer."""
    sources = sorted((HERE / "connector").glob("*.java"))
    if jar.exists() and jar.stat().st_mtime > max(source.stat().st_mtime for source in sources):
        return
    (libraries,) = FLINK.environment.glob("lib/python*/site-packages/pyflink/lib")
    jar.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        command = [
            "javac",
            "-nowarn",
            "--release",
            "17",
            "-cp",
            f"{libraries}/*",
            "-d",
            directory,
            *map(str, sources),
        ]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise CommandError(f"javac failed:\n{answer.stderr}")
        with zipfile.ZipFile(jar, "w") as archive:
            for path in sorted(Path(directory).rglob("*.class")):
                archive.write(path, path.relative_to(directory))
            archive.writestr(SERVICE, "KinesisTableFactory\n")


def flink_options(directory: Path, parallelism: int) -> dict[str, str]:
    """Return what the service sets on AWS; parallelism is one task a shard."""
    return {
        "pipeline.jars": CONNECTOR.as_uri(),
        "parallelism.default": str(parallelism),
        "taskmanager.memory.managed.size": "512 mb",
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
        """Start with the property groups of the application, from a savepoint where one is given.

        Raises CommandError where the job does not come to run.
        """
        compile_connector()
        merged = {str(group["PropertyGroupId"]): dict(group["PropertyMap"]) for group in groups}  # type: ignore[call-overload]
        merged["streams"]["endpoint"] = endpoint
        merged["flink"] = flink_options(self.directory, parallelism)
        if savepoint:
            merged["flink"]["execution.state-recovery.path"] = savepoint
        merged.pop("kinesis.analytics.flink.run.options", None)
        properties = self.directory / "properties.json"
        self.directory.mkdir(parents=True, exist_ok=True)
        listed = [{"PropertyGroupId": name, "PropertyMap": values} for name, values in merged.items()]
        properties.write_text(json.dumps(listed, indent=2))
        child = self._background.start(
            "-W", "ignore", str(HERE / "run.py"), str(properties), (self.directory / "savepoints").as_uri(),
            environment={"PYTHONPATH": str(REPOSITORY / "functions"), "JAVA_TOOL_OPTIONS": "-Xmx1536m"},
            python=FLINK.python,
        )  # fmt: skip
        try:
            progress.wait_for(
                "the start of the Flink job",
                lambda: "running" in self._printed(),
                process=child,
                log=self.log,
            )
        except progress.Stuck:
            self.kill()
            raise

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
    parser = argparse.ArgumentParser(prog="scripts/realtime", description=__doc__)
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
