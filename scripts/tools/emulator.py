"""Start, stop or look at MiniStack, the AWS of this machine: no account, no Docker, IAM enforced."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil

from tools import REPOSITORY, Arguments, CommandError, port_of, progress, run
from tools import port as parse_port

DIRECTORY = REPOSITORY / ".local" / "emulator"
LOCAL_STATE = REPOSITORY / "infrastructure" / "environments" / "local"
DEFAULT_PORT = 4566
STOP_SECONDS = 5
ANSWER_SECONDS = 30
SERVER = Path(__file__).with_name("launch_ministack.py")


@dataclass
class Emulator:
    """One MiniStack and the directory it owns; a `with` block runs it. `keeps` lets it be restarted."""

    port: int = DEFAULT_PORT
    directory: Path = DIRECTORY
    keeps: bool = False
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What to add to the environment of a client: SDKs, Terraform and the functions need nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_SESSION_TOKEN": "",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    @property
    def log(self) -> Path:
        """What it and the functions it runs print."""
        return self.directory / "log"

    def start(self) -> None:
        """Start with nothing in it and wait until it answers. Raises CommandError where it cannot."""
        if is_taken(self.port):
            raise CommandError(
                f"port {self.port} is taken by {_listener(self.port)}; "
                f"choose another: EMULATOR_PORT={self.port + 1} or --port {self.port + 1}"
            )
        shutil.rmtree(self.directory, ignore_errors=True)
        for name in ("s3", "state", "tmp"):
            (self.directory / name).mkdir(parents=True)
        try:
            self._launch()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> bool:
        """End the process with the functions it runs and remove its directory; tell whether it ran."""
        group = self._terminate()
        _, survivors = psutil.wait_procs(group, timeout=STOP_SECONDS)
        if survivors:
            os.killpg(group[0].pid, signal.SIGKILL)
            psutil.wait_procs(survivors, timeout=STOP_SECONDS)
        if self._child:
            self._child.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
        return bool(group)

    def restart(self, while_down: Callable[[], None] = lambda: None) -> None:
        """End the process with the functions it runs, and start it with all that it held.

        `while_down` is called in between.

        Raises CommandError where it does not end: it saves what it holds first.
        """
        group = self._terminate()
        if group:
            pid = group[0].pid
            progress.wait_for(
                f"the end of MiniStack (process {pid})",
                lambda: not psutil.wait_procs(group, timeout=0)[1],
                work=lambda: progress.cpu_seconds(pid),
                log=self.log,
                pause_seconds=0.05,
            )
        if self._child:
            self._child.wait()
        while_down()
        self._launch()

    def _terminate(self) -> list[psutil.Process]:
        """Ask the process and the functions it runs to end, and return them: none where it does not run."""
        process = self.process()
        if not process:
            return []
        group = [process, *process.children(recursive=True)]
        os.killpg(process.pid, signal.SIGTERM)
        return group

    def process(self) -> psutil.Process | None:
        """Return its process, whoever started it; None where it does not run."""
        try:
            record = json.loads(self._record.read_text())
            process = psutil.Process(record["pid"])
            is_it = process.create_time() == record["started"] and process.status() != psutil.STATUS_ZOMBIE
        # A record that was not written to its end is no record.
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None
        return process if is_it else None

    def recorded_port(self) -> int:
        """Return the port of the emulator that runs in the directory, else its own."""
        return int(json.loads(self._record.read_text())["port"]) if self.process() else self.port

    def health(self) -> dict[str, Any] | None:
        """Return what it says of itself; None where nothing answers as it would."""
        return _health(self.port, ANSWER_SECONDS)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    @property
    def _record(self) -> Path:
        return self.directory / "process.json"

    def _server_environment(self) -> dict[str, str]:
        """Return all that the server and the functions inherit, so that they run alike on every machine.

        SFTP and MQTT listen on ports that a second emulator would want too.
        """
        return {
            **{name: os.environ[name] for name in ("LANG", "LC_ALL", "PATH", "TZ") if name in os.environ},
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "HOME": str(self.directory),
            "IOT_MTLS_ENABLED": "0",
            "LAMBDA_EXECUTOR": "local",
            "MINISTACK_REGION": "us-east-1",
            "PERSIST_STATE": str(int(self.keeps)),
            "PYTHONUNBUFFERED": "1",
            "S3_DATA_DIR": str(self.directory / "s3"),
            "S3_PERSIST": str(int(self.keeps)),
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(self.directory / "state"),
            "TMPDIR": str(self.directory / "tmp"),
        }

    def _launch(self) -> None:
        with self.log.open("ab") as log:
            child = self._child = subprocess.Popen(
                [sys.executable, "-P", str(SERVER)],
                cwd=self.directory,
                env=self._server_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started = psutil.Process(child.pid).create_time()
        self._record.write_text(json.dumps({"pid": child.pid, "started": started, "port": self.port}))
        progress.wait_for(
            f"the start of MiniStack at {self.endpoint}",
            self.health,
            process=child,
            log=self.log,
            pause_seconds=0.05,
        )


def current(port: int | None = None) -> Emulator:
    """Return this checkout's emulator: where it runs, else at the given port, EMULATOR_PORT or 4566.

    Raises CommandError where EMULATOR_PORT is no port.
    """
    wanted = port or port_of("EMULATOR_PORT") or DEFAULT_PORT
    return Emulator(Emulator(wanted).recorded_port())


def start(port: int | None = None) -> Emulator:
    """Start this checkout's emulator unless it runs; an empty one has no use for the old Terraform state."""
    emulator = current(port)
    if not emulator.process():
        _delete_local_state()
        emulator.start()
    elif port not in (None, emulator.port):
        raise CommandError(f"it runs at {emulator.endpoint} already: stop it first")
    return emulator


def stop() -> bool:
    """Stop this checkout's emulator and delete what was applied to it; tell whether it ran."""
    _delete_local_state()
    return current().stop()


def local_environment() -> dict[str, str]:
    """Return what points clients at the emulator, or completes the choice of another AWS_ENDPOINT_URL."""
    environment = current().environment
    if not os.environ.get("AWS_ENDPOINT_URL"):
        return environment
    return {name: value for name, value in environment.items() if not os.environ.get(name)}


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def ingest_url(outputs: dict[str, Any]) -> str:
    """Return the base URL of the REST API; emulators serve every API behind their one endpoint."""
    api, endpoint = outputs["ingest"], os.environ.get("AWS_ENDPOINT_URL")
    return f"{endpoint}/restapis/{api['id']}/{api['stage']}/_user_request_" if endpoint else str(api["url"])


def is_taken(port: int) -> bool:
    """Does anybody listen on this machine's port?"""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _health(port: int, seconds: float) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_localstack/health", timeout=seconds) as answer:
            health: dict[str, Any] = json.load(answer)
    except (OSError, ValueError):
        return None
    return health if "services" in health else None


def _listener(port: int) -> str:
    """Describe who listens on a port, as far as this user may know."""
    who = "another process"
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,)
            if listens and connection.pid:
                who = f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return f"{who}, an AWS emulator that this checkout did not start" if _health(port, 1) else who


def _delete_local_state() -> None:
    for state in LOCAL_STATE.glob("terraform.tfstate*"):
        state.unlink()


def main() -> None:
    """Do what the command line says."""
    parser = Arguments(
        prog="scripts/emulator",
        description=__doc__,
        examples=(
            "scripts/emulator start --port 4567",
            "scripts/emulator status",
            "scripts/emulator stop",
        ),
    )
    parser.add_argument("command", choices=["start", "stop", "status", "reset"])
    parser.add_argument(
        "--port", type=parse_port, help=f"where it listens (default: EMULATOR_PORT, else {DEFAULT_PORT})"
    )
    options = parser.parse_args()
    if options.command == "stop":
        print("stopped" if stop() else "not running")
        return
    if options.command == "reset":
        options.port = current(options.port).port
        stop()
    if options.command == "status":
        emulator = current()
        if not emulator.process():
            raise CommandError("not running")
    else:
        emulator = start(options.port)
    health = emulator.health()
    if not health:
        raise CommandError(
            f"process {emulator.process()} does not answer at {emulator.endpoint}: see {emulator.log}"
        )
    print(f"{emulator.endpoint} (MiniStack {health['version']}, log: {emulator.log.relative_to(REPOSITORY)})")


if __name__ == "__main__":
    run(main)
