"""One emulator and one Spark session for all tests of the batch: their start is dear."""

from collections.abc import Iterator

import pytest
from emulated_lake import Spark
from tools import jars
from tools.emulator import Emulator, free_port
from tools.engine import SPARK


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    """Start an emulator with IAM enforced, and Spark; skip where this machine cannot run it."""
    missing = SPARK.why_missing()
    if missing:
        pytest.skip(missing)
    try:
        jars.resolve(jars.ICEBERG)
    except jars.JarsMissing as error:
        pytest.skip(str(error))
    patch = pytest.MonkeyPatch()
    with Emulator(free_port(), tmp_path_factory.mktemp("emulator") / "data") as emulator, patch.context():
        for name, value in emulator.environment.items():
            patch.setenv(name, value)
        session = Spark(tmp_path_factory.mktemp("spark"))
        try:
            yield session
        finally:
            session.close()
