"""The packages as Lambda has them: built, unpacked, and beside an AWS that holds what prod plans."""

from collections.abc import Iterator

import fake_account
import lambda_runtime
import planned
import pytest
from lambda_packages import LAYER, built_functions, unpacked
from lambda_runtime import Package


@pytest.fixture(scope="session")
def plan(tmp_path_factory: pytest.TempPathFactory) -> planned.Plan:
    """Plan prod once a session."""
    return planned.plan(tmp_path_factory.mktemp("terraform"))


@pytest.fixture(scope="session")
def functions(plan: planned.Plan, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Package]:
    """Each planned function with its package, built for Lambda's Python on this machine's processor."""
    if lacks := lambda_runtime.missing():
        pytest.skip(lacks)
    archives = {built.path.stem: built.path for built in built_functions("here")}
    directory = tmp_path_factory.mktemp("lambda")
    opt = unpacked(archives[LAYER], directory / "opt")
    return {
        name: Package(configuration, unpacked(archives[name], directory / name), opt)
        for name, configuration in plan.functions().items()
    }


@pytest.fixture(scope="session")
def account(plan: planned.Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[fake_account.Aws]:
    """AWS in memory, shared by the tests of a session."""
    doubles = fake_account.Doubles(plan)
    with fake_account.moto_server(tmp_path_factory.mktemp("moto")) as address:
        yield fake_account.Aws(plan, address, doubles)
    doubles.shutdown()
