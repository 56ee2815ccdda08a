"""One PostgreSQL for the tests of the warehouse."""

from collections.abc import Iterator

import pytest
from redshift_on_postgres import Server, postgres


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Run the server, or skip."""
    with postgres() as running:
        yield running
