"""Start a function as Lambda's python3.13 does: set the search path, then hand over to awslambdaric.

CPython 3.13 runs a copy of this file: `bootstrap.py <opt> <report> <hidden>`. It is never imported.
Only the temporary directory can be written to, as on Lambda, and nothing below `hidden` can be read. Whenever
the function waits for an event, it writes to `report` what it imported, from where, its memory and its CPU.
"""

import errno
import json
import os
import site
import sys
import time
from pathlib import Path
from typing import Any

OPT, REPORT, HIDDEN = sys.argv[1:]
TASK, TEMPORARY = os.environ["LAMBDA_TASK_ROOT"], os.environ["TMPDIR"]
WRITABLE = (f"{TEMPORARY}/", "/dev/null")
READS = {"open", "os.listdir", "os.scandir"}
CHANGES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what Lambda's file system does not have, or does not let a function change."""
    if event not in READS | CHANGES or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    # Path.resolve would follow links, and so raise this event again.
    path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100
    changes = event in CHANGES or (event == "open" and arguments[2] & WRITING)
    if changes and path != TEMPORARY and not path.startswith(WRITABLE):
        raise OSError(errno.EROFS, "Read-only file system", path)
    if path.startswith(f"{HIDDEN}/") and not path.startswith(f"{sys.prefix}/"):
        raise FileNotFoundError(errno.ENOENT, "Not there on Lambda", path)


def report() -> dict[str, Any]:
    """Return what the function imported, its most memory, and the files that it left behind."""
    files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
    modules = {name: str(Path(file).resolve()) for name, file in files.items() if Path(file).is_absolute()}
    # getrusage would count the memory of the process that started this one.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak_mb = int(status["VmHWM"].split()[0]) / 1024
    return {"modules": modules, "peak_mb": peak_mb, "temporary": os.listdir(TEMPORARY)}  # noqa: PTH208


def main() -> None:
    """Search the function first, then its layers, then what the runtime brings: the order of Lambda."""
    version = "python{}.{}".format(*sys.version_info[:2])
    layers = [f"{OPT}/python/lib/{version}/site-packages", f"{OPT}/python"]
    runtime = [path for path in sys.path if path.endswith("site-packages")]
    sys.path[:0] = [TASK, *layers, *runtime]
    for directory in (TASK, *layers):
        site.addsitedir(directory)
    os.environ["PYTHONPATH"] = os.environ["LAMBDA_RUNTIME_DIR"]
    from awslambdaric.__main__ import main as run
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

    wait = LambdaRuntimeClient.wait_next_invocation
    cpu_seconds: list[float] = []
    with Path(REPORT).open("w") as file:

        def report_and_wait(client: Any) -> Any:
            cpu_seconds.append(time.process_time())
            file.seek(0)
            json.dump(report() | {"init_cpu_ms": cpu_seconds[0] * 1000}, file)
            file.truncate()
            file.flush()
            return wait(client)

        LambdaRuntimeClient.wait_next_invocation = report_and_wait
        sys.addaudithook(refuse)
        run([TASK, os.environ["_HANDLER"]])


if __name__ == "__main__":
    main()
