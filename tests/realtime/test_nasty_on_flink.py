"""The nasty game through the Flink job: every metric is what its definition says."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import nasty_engines
import nasty_game
import nasty_truth
import pytest
import reference
from fake_aws import Tables
from flink_harness import FlinkHarness
from nasty_game import GAME
from telemetry import metric_model
from tools.emulator import Emulator

LATENESS = timedelta(seconds=60)


@pytest.fixture
def harness(flink_emulator: Emulator, tmp_path: Path) -> Iterator[FlinkHarness]:
    """Yield streams, and end the job on them."""
    made = FlinkHarness("nasty", flink_emulator, tmp_path)
    try:
        yield made
    finally:
        made.job.kill()


def test_windows_are_what_the_definitions_say(harness: FlinkHarness) -> None:
    sent = nasty_game.sent()
    enriched = [json.loads(data) for _, data in nasty_engines.processed(sent, Tables()).taken["enriched"]]
    timely, dropped = reference.timely([enriched], LATENESS)
    true = nasty_truth.window_of(sent, timely)
    harness.send(enriched)
    harness.start()
    said = nasty_engines.read_windows(
        harness.windows(*{(f"{GAME}#{label}#*#*", start) for _, label, start, *_ in true})
    )
    answer = nasty_truth.Answer(said, true)
    assert answer.differing() == {}
    assert answer.names() == set(metric_model.window())
    assert harness.total(f"{GAME}#dropped#*#*", "dropped.events", dropped[GAME]) == dropped[GAME]
