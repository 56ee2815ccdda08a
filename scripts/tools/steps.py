"""Say what a long command does and how far it is, so that no step is silent for more than a few seconds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

# Between two lines of a step where the output is no terminal; a terminal is updated more often.
LINE_SECONDS = 4.0
TERMINAL_SECONDS = 0.5


@contextmanager
def every(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """Do something again and again while the block runs."""
    ended = Event()

    def repeat() -> None:
        while not ended.wait(seconds):
            act()

    thread = Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Steps:
    """The steps of a command, each with the seconds since the command began."""

    def __init__(self, console: Console) -> None:
        """Begin to count."""
        self.console, self._began = console, time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        """Print a step."""
        self.console.print(f"{self.seconds:4.0f} s [bold]▸[/bold] {text}", highlight=False, soft_wrap=True)

    @contextmanager
    def working(self, text: Callable[[], str]) -> Iterator[None]:
        """Show how far a step is while the block runs: in place on a terminal, else in lines."""
        if self.console.is_terminal:
            with (
                self.console.status(text()) as status,
                every(TERMINAL_SECONDS, lambda: status.update(text())),
            ):
                yield
        else:
            with every(LINE_SECONDS, lambda: self._line(text())):
                yield

    def _line(self, text: str) -> None:
        self.console.print(f"{self.seconds:4.0f} s   {text}", highlight=False, markup=False, soft_wrap=True)


class Bars(Progress):
    """Bars of tasks; lines where the output is no terminal."""

    def __init__(self, console: Console) -> None:
        """Have the columns that all commands show."""
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        )  # fmt: skip
        super().__init__(*columns, console=console)
        self._lines = every(LINE_SECONDS, self._print)

    def __enter__(self) -> Self:
        """Begin to show."""
        super().__enter__()
        if not self.console.is_terminal:
            self._lines.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        """Show the end."""
        if not self.console.is_terminal:
            self._lines.__exit__(None, None, None)
        super().__exit__(*error)

    def _print(self) -> None:
        told = (f"{task.description}: {task.completed:,.0f} of {task.total or 0:,.0f}" for task in self.tasks)
        self.console.print("  " + ", ".join(told), highlight=False, markup=False, soft_wrap=True)
