"""An emulator for the Flink job."""

from collections.abc import Iterator

import pytest
from tools.emulator import Emulator, free_port
from tools.engine import FLINK


@pytest.fixture(scope="session")
def flink_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Start an emulator; skip where this machine cannot run Flink."""
    missing = FLINK.why_missing()
    if missing:
        pytest.skip(missing)
    emulator = Emulator(free_port(), tmp_path_factory.mktemp("flink-emulator"))
    with emulator, pytest.MonkeyPatch.context() as patch:
        for name, value in emulator.environment.items():
            patch.setenv(name, value)
        yield emulator
