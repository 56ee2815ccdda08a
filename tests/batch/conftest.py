"""One emulator and one Spark session for all tests of the batch: their start is dear."""

from collections.abc import Iterator

import pytest
from emulated_lake import Spark, started


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    """Start both."""
    with started(tmp_path_factory.mktemp("lakes")) as session:
        yield session
