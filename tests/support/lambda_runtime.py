"""CPython 3.13 with what AWS ships beside it, Lambda's runtime API, and a function that runs under both."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any
from uuid import uuid4

from tools import REPOSITORY, bytecode

ENVIRONMENT = REPOSITORY / ".venv-lambda"
LOCK = Path(__file__).parents[1] / "packages" / "requirements.lock"
REGION, ACCOUNT = "eu-west-1", "111122223333"
API = "/2018-06-01/runtime"
# Of an invocation that waits for its answer: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024


def missing() -> str:
    """Say what this machine lacks to run a package as Lambda does; nothing where it lacks nothing."""
    if sys.platform != "linux":
        return "Lambda's packages hold binaries for Linux; run tests/packages on Linux."
    return bytecode.missing()


def install() -> Path:
    """Return the interpreter of an environment that holds what AWS ships, made where it is not there yet."""
    stamp = ENVIRONMENT / ".installed"
    if not stamp.exists() or stamp.stat().st_mtime < LOCK.stat().st_mtime:
        command = [
            str(REPOSITORY / "scripts" / "_venv"),
            ENVIRONMENT.name,
            str(LOCK.relative_to(REPOSITORY)),
        ]
        environment = {**os.environ, "PYTHON": str(bytecode.interpreter())}
        subprocess.run(command, cwd=REPOSITORY, env=environment, check=True)
    return ENVIRONMENT / "bin" / "python"


class FunctionError(Exception):
    """Lambda reports that a function failed; `kind` is the type of the error, `initialised` says when."""

    def __init__(self, error: Mapping[str, Any], initialised: bool) -> None:
        """Keep the type, and say the error's message."""
        super().__init__(error["errorMessage"])
        self.kind, self.initialised = error["errorType"], initialised


class RuntimeApi(ThreadingHTTPServer):
    """The HTTP API that a function asks for its next event, and tells the answer."""

    daemon_threads = True

    def __init__(self, arn: str, timeout_seconds: int) -> None:
        """Serve on a free port; an invocation has so many seconds."""
        super().__init__(("127.0.0.1", 0), _RuntimeApiHandler)
        self.arn, self.timeout_seconds = arn, timeout_seconds
        self.events: Queue[bytes] = Queue()
        self.answers: Queue[tuple[str, bytes]] = Queue()
        self.asked = 0
        Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a function that was stopped while it asked, which is how each of them ends."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def address(self) -> str:
        """Return host and port."""
        return f"127.0.0.1:{self.server_address[1]}"


class _RuntimeApiHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RuntimeApi

    def do_GET(self) -> None:
        assert self.path == f"{API}/invocation/next", self.path
        self.server.asked += 1
        event = self.server.events.get()
        deadline = int((time.time() + self.server.timeout_seconds) * 1000)
        self._answer(
            200,
            event,
            {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": str(uuid4()),
                "Lambda-Runtime-Deadline-Ms": str(deadline),
                "Lambda-Runtime-Invoked-Function-Arn": self.server.arn,
                "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
            },
        )

    def do_POST(self) -> None:
        kind = self.path.removeprefix(API).rpartition("/")[2]
        kind = "init" if self.path == f"{API}/init/error" else kind
        assert kind in ("response", "error", "init"), self.path
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if kind == "response" and len(body) > MAX_PAYLOAD_BYTES:
            self._answer(413)
            message = f"The answer has {len(body)} bytes, more than Lambda takes"
            kind, body = "error", json.dumps({"errorType": "TooLarge", "errorMessage": message}).encode()
        else:
            self._answer(202, b'{"status": "OK"}')
        self.server.answers.put((kind, body))

    def _answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the test shows what the function logged."""


@dataclass(frozen=True, slots=True)
class Package:
    """A function as Terraform plans it, with its zip and its layers unpacked as Lambda does."""

    configuration: Mapping[str, Any]
    task: Path
    opt: Path

    @property
    def name(self) -> str:
        """Return the name of the function on AWS."""
        return str(self.configuration["function_name"])

    def environment(self, temporary: Path, runtime: Path, api: str, aws: Mapping[str, str]) -> dict[str, str]:
        """Return what Lambda sets, what Terraform sets, and where AWS is here."""
        found = self.configuration
        (logging,) = found["logging_config"]
        return {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{found['runtime']}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(found["memory_size"]),
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": logging["log_format"],
            "AWS_LAMBDA_LOG_GROUP_NAME": logging["log_group"],
            "AWS_LAMBDA_LOG_LEVEL": logging["application_log_level"],
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/31/[$LATEST]0123456789abcdef0123456789abcdef",
            "AWS_LAMBDA_RUNTIME_API": api,
            "AWS_REGION": REGION,
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_SESSION_TOKEN": "testing",
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
            "LAMBDA_RUNTIME_DIR": str(runtime),
            "LAMBDA_TASK_ROOT": str(self.task),
            "LANG": "en_US.UTF-8",
            "LD_LIBRARY_PATH": f"{runtime}:{self.task}:{self.task}/lib:{self.opt}/lib",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TMPDIR": str(temporary),
            "TZ": ":UTC",
            "_HANDLER": found["handler"],
            **found["environment"][0]["variables"],
            **aws,
        }


@dataclass(slots=True)
class Function:
    """A running execution environment of a package."""

    package: Package
    api: RuntimeApi
    process: subprocess.Popen[bytes]
    directory: Path
    invocations: int = 0

    def invoke(self, event: Any) -> Any:
        """Return what the function answers to an event, as its caller sees it. Raises FunctionError."""
        self.api.events.put(json.dumps(event).encode())
        self.invocations += 1
        self._wait_for(lambda: not self.api.answers.empty())
        kind, body = self.api.answers.get()
        if kind == "response":
            return json.loads(body)
        raise FunctionError(json.loads(body), initialised=kind == "error")

    def _wait_for(self, happened: Callable[[], bool]) -> None:
        """Wait as long as the process lives: a busy machine takes its time, and pytest has a limit."""
        while not happened():
            ended = self.process.poll()
            assert ended is None or happened(), f"{self.package.name} ended with {ended}:\n{self.log}"
            time.sleep(0.02)

    @property
    def log(self) -> str:
        """Return what the function wrote so far: what Lambda would send to its log group."""
        return (self.directory / "log").read_text()

    def report(self) -> dict[str, Any]:
        """Return what the process says of itself, once it waits for the next event."""
        self._wait_for(lambda: self.api.asked > self.invocations)
        report: dict[str, Any] = json.loads((self.directory / "report.json").read_text())
        return report


@contextmanager
def running(package: Package, directory: Path, aws: Mapping[str, str]) -> Iterator[Function]:
    """Start a package in an execution environment of its own; `aws` are variables that tell where AWS is."""
    directory.mkdir(parents=True)
    temporary, runtime = directory / "tmp", directory / "runtime"
    temporary.mkdir()
    runtime.mkdir()
    bootstrap = shutil.copy(Path(__file__).with_name("lambda_bootstrap.py"), runtime / "bootstrap.py")
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{package.name}"
    api = RuntimeApi(arn, package.configuration["timeout"])
    arguments = [str(package.opt), str(directory / "report.json"), str(REPOSITORY)]
    python = install()
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(python), "-B", str(bootstrap), *arguments],
            cwd=package.task,
            env=package.environment(temporary, runtime, api.address, aws),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Function(package, api, process, directory)
    finally:
        process.kill()
        process.wait()
        api.shutdown()
        api.server_close()
