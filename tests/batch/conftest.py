"""One Spark session for all tests of the batch: its start is dear."""

from collections.abc import Iterator

import pytest
from lake_of_files import Spark
from tools.engine import SPARK


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    """Start Spark; skip where this machine cannot run it."""
    missing = SPARK.why_missing()
    if missing:
        pytest.skip(missing)
    session = Spark(tmp_path_factory.mktemp("spark") / "log")
    yield session
    session.close()
