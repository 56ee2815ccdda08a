"""Whether this machine can run Spark."""

from collections.abc import Iterator

import pytest
from tools.engine import SPARK


@pytest.fixture(scope="session")
def spark() -> Iterator[None]:
    """Skip where this machine cannot run Spark."""
    missing = SPARK.why_missing()
    if missing:
        pytest.skip(missing)
    return
