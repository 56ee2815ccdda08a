"""What the benchmarks share: repeated measurements, and the file of results that the plots are drawn from."""

import json
import os
import platform
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.json"
REPEATS = 5


class Spread(NamedTuple):
    """The median of some measurements, and the least and the greatest of them."""

    median: float
    low: float
    high: float

    def text(self, form: str = ",.0f") -> str:
        """Return the median, and how far the others lie from it at most."""
        off = max(self.high - self.median, self.median - self.low) / self.median if self.median else 0
        return f"{self.median:{form}} ± {off:.0%}"


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of repeated measurements."""
    return Spread(median(values), min(values), max(values))


def repeated(run: Callable[[], float], times: int = REPEATS) -> Spread:
    """Measure some times."""
    return spread([run() for _ in range(times)])


def keep(name: str, values: Any) -> None:
    """Write results under a name, with the machine they are of, beside those of other benchmarks."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    machine = {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
        "measured": datetime.now(UTC).date().isoformat(),
    }
    kept[name] = {"machine": machine, "values": values}
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")
