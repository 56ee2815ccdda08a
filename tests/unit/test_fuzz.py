"""Coverage-guided fuzzing of what reads bytes of strangers, and inputs that every run tries.

FUZZ_RUNS=10000000 fuzzes for longer. Keep an input that fails in fuzz_corpus/TARGET, named after what is
wrong with it.
"""

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import Hostile, kpl_messages
from hostile_checks import TARGETS, rank_keys
from tools import REPOSITORY

CORPUS = Path(__file__).with_name("fuzz_corpus")
RUNS = int(os.environ.get("FUZZ_RUNS", "5000"))
FUZZ = REPOSITORY / "tests" / "support" / "fuzz.py"
SOURCES = ("functions", "functions/layers/telemetry", "scripts", "tests/support")


def seeds(target: str) -> list[bytes]:
    """Return inputs to begin with, which the fuzzer changes."""
    hostile = Hostile(random.Random(0))
    match target:
        case "stream":
            return [record.data for _ in range(200) if len((record := hostile.record()).data) < 4096]
        case "kpl":
            return [hostile.changed(message) for message in kpl_messages() for _ in range(3)]
        case "guidance":
            return [hostile.guidance() for _ in range(100)]
        case "cursors":
            return [f"10 {key}".encode() for key in rank_keys()]
        case "planted":
            return [b"?"]
    return [hostile.of_vendor(target) for _ in range(100)]


def fuzzed(target: str, runs: int, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the fuzzer in a process of its own: it does not return to its caller."""
    pytest.importorskip("atheris")
    (given := directory / "seeds").mkdir()
    (directory / "found").mkdir()
    for number, data in enumerate(seeds(target)):
        (given / str(number)).write_bytes(data)
    return subprocess.run(
        [sys.executable, FUZZ, target, str(runs), given, directory / "found"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(REPOSITORY / each) for each in SOURCES)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("target", sorted(TARGETS.keys() - {"planted"}))
def test_no_input_that_the_fuzzer_finds_fails(target: str, tmp_path: Path) -> None:
    run = fuzzed(target, RUNS, tmp_path)
    failed = [path.read_bytes() for path in (tmp_path / "found").glob("*-*")]
    assert (run.returncode, failed) == (0, []), run.stderr[-3000:]
    (runs,) = re.findall(r"Done (\d+) runs", run.stderr)
    new = len(list((tmp_path / "found").iterdir()))
    print(f"{target}: {runs} inputs, {new} of them reached new code")
    assert int(runs) >= RUNS


def test_the_fuzzer_finds_what_chance_does_not(tmp_path: Path) -> None:
    run = fuzzed("planted", 2_000_000, tmp_path)
    (found,) = (path.read_bytes() for path in (tmp_path / "found").glob("crash-*"))
    assert run.returncode
    assert found.startswith(b"key")


def test_every_input_of_the_corpus_is_of_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} <= TARGETS.keys() - {"planted"}


@pytest.mark.parametrize(
    "path", sorted(CORPUS.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_a_kept_input_holds(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())
