"""Fuzz one target, guided by coverage: fuzz.py TARGET RUNS SEEDS FOUND.

Inputs that reach new code, and one that fails, go to the directory FOUND. The exit status is not 0 where one
fails.
"""

import sys
from resource import RUSAGE_SELF, getrusage

import atheris

with atheris.instrument_imports(include=["hostile_checks", "metrics_api", "processor", "telemetry"]):
    from hostile_checks import TARGETS


def main() -> None:
    """Run so many inputs, or until one fails."""
    target, runs, seeds, found = sys.argv[1:]
    options = [f"-runs={runs}", f"-artifact_prefix={found}/", "-max_len=4096", "-timeout=120"]
    # libFuzzer reads the peak of memory, which a process takes over from the one that started it.
    options.append(f"-rss_limit_mb={getrusage(RUSAGE_SELF).ru_maxrss // 1024 + 2048}")
    atheris.Setup([sys.argv[0], *options, found, seeds], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
