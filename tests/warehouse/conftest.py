"""One PostgreSQL for the tests of the warehouse, and one warehouse that has received events."""

from collections.abc import Iterator

import pytest
from emulated_warehouse import empty
from redshift_on_postgres import Server, postgres
from warehouse_history import History


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Run the server, or skip."""
    with postgres() as running:
        yield running


@pytest.fixture(scope="session")
def history(server: Server) -> History:
    """Return a warehouse with events and gold; tests only read it."""
    return History(empty(server))
