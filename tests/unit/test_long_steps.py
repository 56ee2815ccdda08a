"""Long steps of commands are never silent: Terraform, installations, and output that is no terminal."""

import io
import time
from pathlib import Path

import pytest
from rich.console import Console
from tools import CommandError, steps
from tools.apply import Apply
from tools.installation import Installation
from tools.steps import Bars, Steps

ROOT = """
resource "terraform_data" "good" {
  count = 3
}
"""
BAD = """
resource "terraform_data" "bad" {
  provisioner "local-exec" { command = "exit 3" }
}
"""


def root(directory: Path, text: str) -> Path:
    (directory / "main.tf").write_text(text)
    return directory


def test_an_apply_counts_what_it_planned_and_did(tmp_path: Path) -> None:
    applying = Apply()
    assert applying.progress == "terraform apply: plans"
    applying.run(root(tmp_path, ROOT))
    assert (applying.planned, applying.changed, applying.errors) == (3, 3, [])
    assert applying.progress.startswith("terraform apply: 3 of 3 resources, newest terraform_data.good[")


def test_an_apply_that_changes_nothing_counts_nothing(tmp_path: Path) -> None:
    Apply().run(root(tmp_path, ROOT))
    again = Apply()
    again.run(tmp_path)
    assert (again.planned, again.changed) == (0, 0)


def test_a_replacement_counts_as_two_changes(tmp_path: Path) -> None:
    for number in (1, 2):
        applying = Apply()
        text = f'resource "terraform_data" "one" {{\n  triggers_replace = {number}\n}}\n'
        applying.run(root(tmp_path, text))
        assert (applying.planned, applying.changed) == (number, number)


@pytest.mark.parametrize(
    ("text", "words"),
    [(ROOT + BAD, r"\(terraform_data\.bad\)\n.*exit status 3"), ("resource {", "Missing type for resource")],
)
def test_an_apply_that_fails_says_what_terraform_says(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CommandError, match=f"(?s)terraform apply failed:.*{words}"):
        Apply().run(root(tmp_path, text))


def test_words_that_are_not_for_machines_are_kept() -> None:
    applying = Apply()
    applying.read("Error: the provider is not installed\n")
    assert applying.errors == ["Error: the provider is not installed"]


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.setattr(steps, "LINE_SECONDS", 0.02)
    return io.StringIO()


def has(output: io.StringIO, text: str) -> None:
    """Wait until a text is printed; pytest's limit ends a test that waits for ever."""
    while text not in output.getvalue():
        time.sleep(0.01)


def test_a_step_goes_on_to_say_how_far_it_is_where_there_is_no_terminal(output: io.StringIO) -> None:
    done = 0
    with Steps(Console(file=output, force_terminal=False)).working(lambda: f"{done} of 2 [done]"):
        has(output, "0 of 2 [done]")
        done = 1
        has(output, "1 of 2 [done]")


def test_a_step_is_shown_in_place_on_a_terminal(output: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "TERMINAL_SECONDS", 0.02)
    done = 0
    with Steps(Console(file=output, force_terminal=True)).working(lambda: f"{done} of 2"):
        has(output, "0 of 2")
        done = 1
        has(output, "1 of 2")


def test_bars_become_lines_where_there_is_no_terminal(output: io.StringIO) -> None:
    with Bars(Console(file=output, force_terminal=False)) as bars:
        task = bars.add_task("events sent", total=2000)
        bars.advance(task, 1000)
        has(output, "events sent: 1,000 of 2,000")


class Commands:
    """Write modules in the place of tools.<name>, which install nothing."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        (directory / "tools").mkdir()
        monkeypatch.setenv("PYTHONPATH", str(directory))

    def write(self, name: str, source: str) -> None:
        (self.directory / "tools" / f"{name}.py").write_text(source)


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    return Commands(tmp_path, monkeypatch)


def quiet() -> Steps:
    return Steps(Console(file=io.StringIO()))


def test_engines_are_installed_one_after_the_other(commands: Commands, tmp_path: Path) -> None:
    order, done = tmp_path / "order", list[str]()
    commands.write("slow", f"import time; time.sleep(0.3); open({str(order)!r}, 'a').write('slow ')")
    commands.write("quick", f"open({str(order)!r}, 'a').write('quick')")
    with Installation(tmp_path / "logs", ("slow", "quick")) as engines:
        engines.then("slow", lambda: done.append("slow is there"))
        assert engines.wait("quick", quiet()) is None
        engines.then("quick", lambda: done.append("quick is there"))
    assert order.read_text() == "slow quick"
    assert done == ["slow is there", "quick is there"]


def test_an_engine_that_cannot_be_installed_says_why_and_is_not_started(
    commands: Commands, tmp_path: Path
) -> None:
    done = list[str]()
    commands.write("bad", "import sys; sys.exit('needs a JDK')")
    with Installation(tmp_path / "logs", ("bad",)) as engines:
        engines.then("bad", lambda: done.append("started"))
        assert engines.wait("bad", quiet()) == "needs a JDK"
    assert done == []


def test_an_installation_ends_with_the_command_that_began_it(commands: Commands, tmp_path: Path) -> None:
    began = tmp_path / "began"
    commands.write("slow", f"import time; open({str(began)!r}, 'w').close(); time.sleep(600)")
    commands.write("never", "")
    with Installation(tmp_path / "logs", ("slow", "never")):
        while not began.exists():
            time.sleep(0.01)
    assert not (tmp_path / "logs" / "never.log").exists()


def test_installations_leave_the_processors_to_others(commands: Commands, tmp_path: Path) -> None:
    commands.write("polite", "import os, sys; sys.exit(f'nice {os.nice(0)}')")
    with Installation(tmp_path / "logs", ("polite",)) as engines:
        assert engines.wait("polite", quiet()) == "nice 19"
