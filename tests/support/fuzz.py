"""Fuzz one target, guided by coverage: fuzz.py TARGET SECONDS SEEDS FOUND.

Inputs that reach new code, and one that fails, go to the directory FOUND. The exit status is not 0 where one
fails.
"""

import sys

import atheris

with atheris.instrument_imports(include=["hostile_checks", "metrics_api", "processor", "telemetry"]):
    from hostile_checks import TARGETS


def main() -> None:
    """Run until the time is over, or an input fails."""
    target, seconds, seeds, found = sys.argv[1:]
    options = [f"-max_total_time={seconds}", f"-artifact_prefix={found}/", "-max_len=4096", "-timeout=10"]
    atheris.Setup([sys.argv[0], *options, found, seeds], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
