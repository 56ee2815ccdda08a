"""The commands of scripts/, importable by tests."""

import sys
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class CommandError(Exception):
    """What the person who ran a command must know or do; shown without a traceback."""


def confirmed(question: str, word: str) -> bool:
    """Ask the person at the terminal to type a word. Raises CommandError where there is nobody."""
    if not sys.stdin.isatty():
        raise CommandError("nobody can be asked here: pass --yes to go on without a question")
    return input(f"{question}. Type {word} to go on: ") == word


def run(main: Callable[[], None]) -> None:
    """Run a command's main; its CommandError ends the process with the message."""
    try:
        main()
    except CommandError as error:
        sys.exit(f"scripts/{Path(sys.argv[0]).stem}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
