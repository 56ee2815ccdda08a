"""A skipped test fails under CI=true; on a developer's machine the summary says what was skipped and why."""

import re
from pathlib import Path

import pytest
import skips

pytest_plugins = ["pytester"]

SUPPORT = Path(skips.__file__).parent
CONFTEST = f"""
import sys
sys.path.insert(0, {str(SUPPORT)!r})
from skips import ALLOWED, pytest_make_collect_report, pytest_runtest_makereport
ALLOWED["test_all.py::test_allowed"] = "known"
"""
TESTS = """
import pytest

def test_passes():
    pass

def test_call():
    pytest.skip("no Chromium")

@pytest.mark.skipif(True, reason="no JDK")
def test_mark():
    pass

@pytest.fixture
def server():
    pytest.skip("no PostgreSQL")

def test_fixture(server):
    pass

@pytest.mark.parametrize("number", [1, 2])
def test_allowed(number):
    pytest.skip("may be skipped")

@pytest.mark.xfail(strict=True)
def test_known_defect():
    assert False
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """Write tests that are skipped in each way that pytest has."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_all=TESTS, test_module="import pytest\npytest.importorskip('no_such_module')")
    return pytester


@pytest.mark.parametrize("distribution", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_ci_fails_where_a_test_is_skipped(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, distribution: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CI", "true")
    result = suite.runpytest_subprocess(
        "-ra", "-p", "no:randomly", "--continue-on-collection-errors", *distribution
    )
    assert result.ret == 1
    text = result.stdout.str()
    for reason in ("no Chromium", "no JDK", "no PostgreSQL", "no_such_module"):
        assert re.search(rf"CI=true does not allow.*\n.*{reason}", text), reason
    counts = result.parseoutcomes()
    assert (counts["passed"], counts["skipped"], counts["xfailed"]) == (1, 2, 1)
    assert counts.get("failed", 0) + counts["errors"] == 4


def test_a_developers_run_passes_and_says_what_was_skipped_and_why(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    result = suite.runpytest_subprocess("-ra")
    assert result.ret == 0
    result.stdout.fnmatch_lines_random(
        ["SKIPPED*no Chromium", "SKIPPED*no JDK", "SKIPPED*no PostgreSQL", "SKIPPED*no_such_module*"]
    )
    assert re.match(r"=+ 1 passed, 6 skipped, 1 xfailed", result.stdout.lines[-1])


def test_the_suite_reports_skips_and_uses_the_rule(pytestconfig: pytest.Config) -> None:
    assert "-ra" in pytestconfig.getini("addopts")
    conftest = pytestconfig.pluginmanager.get_plugin(str(SUPPORT.parent / "conftest.py"))
    assert conftest.pytest_runtest_makereport is skips.pytest_runtest_makereport
    assert conftest.pytest_make_collect_report is skips.pytest_make_collect_report
