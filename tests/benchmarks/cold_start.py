"""What a cold start of each function spends on its own imports, and what it has to unpack.

Imports each handler in a fresh interpreter, in turn, and takes the best: Lambda adds its own start to it.
A bare interpreter is beside them. Packages are those of `make build`; the layer counts for every function.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

REPOSITORY = Path(__file__).resolve().parents[2]
HANDLERS = ("authorizer", "ingest", "processor", "player_state", "realtime_windows", "metrics_api")
ROUNDS = 5
# Import only: settings are read where a handler builds its clients.
CODE = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
NAMES = {
    "POWERTOOLS_METRICS_NAMESPACE": "benchmarks",
    "POWERTOOLS_SERVICE_NAME": "benchmarks",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def import_ms(module: str) -> float:
    """Return the milliseconds of importing a module in a new interpreter, the best of some."""
    run = [sys.executable, "-c", CODE.format(module)]
    environment = {**os.environ, **NAMES}
    return 1000 * min(
        float(subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout)
        for _ in range(ROUNDS)
    )


def megabytes(name: str) -> str:
    """Return the size of a package, or a dash where it was not built."""
    package = REPOSITORY / "build" / "aws" / f"{name}.zip"
    package = package if package.exists() else REPOSITORY / "build" / "local" / f"{name}.zip"
    return f"{package.stat().st_size / 1e6:.2f}" if package.exists() else "-"


def main() -> None:
    """Print the table of docs/performance.md."""
    started = time.perf_counter()
    table = Table("Function", "Import, ms", "Package, MB")
    table.add_row("boto3 alone", f"{import_ms('boto3'):.0f}", "")
    for name in HANDLERS:
        table.add_row(name, f"{import_ms(f'{name}.handler'):.0f}", megabytes(name))
    table.add_row("telemetry layer", "", megabytes("telemetry-layer"))
    console = Console(width=100)
    console.print(table, f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
