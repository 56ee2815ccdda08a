"""The commands of scripts/, importable by tests."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

REPOSITORY = Path(__file__).resolve().parents[2]


class CommandError(Exception):
    """What the person who ran a command must know or do; shown without a traceback."""


class Arguments(argparse.ArgumentParser):
    """Arguments of a command. Its help ends with lines that can be copied."""

    def __init__(self, *, examples: tuple[str, ...], **options: Any) -> None:
        super().__init__(
            epilog="\n  ".join(("examples:", *examples)),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **options,
        )

    def add_subparsers(self, **options: Any) -> Any:
        """Return what makes parsers of subcommands, which have no examples of their own."""
        return super().add_subparsers(**{"parser_class": argparse.ArgumentParser} | options)


class Parser(Arguments):
    """Arguments of a command that works on an environment: ``--environment`` stands anywhere on the line.

    Where ``local`` cannot be meant, nothing is the default, and the environment is required but for the
    subcommands of ``without``.
    """

    def __init__(
        self,
        *,
        choices: tuple[str, ...] = ("local", "dev", "prod"),
        without: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.choices, self.without = choices, without
        default = "local" if "local" in choices else None
        self.add_argument(
            "--environment",
            default=default,
            metavar="NAME",
            help=" or ".join(choices) + (f" (default: {default})" if default else "; there is no default"),
        )

    def add_subparsers(self, **options: Any) -> Any:
        """Return what makes parsers of subcommands; each accepts ``--environment`` too."""

        def make(**given: Any) -> argparse.ArgumentParser:
            parser = argparse.ArgumentParser(**given)
            parser.add_argument(
                "--environment", default=argparse.SUPPRESS, metavar="NAME", help=" or ".join(self.choices)
            )
            return parser

        return super().add_subparsers(parser_class=cast(Any, make), **options)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; a line that names no environment where there is no default is an error."""
        given, rest = super().parse_known_args(args, namespace)
        if given.environment is None and getattr(given, "command", None) not in self.without:
            self.error(
                f"this works on AWS only: name the environment with --environment {self.choices[0]}"
                f" or {self.choices[1]}"
            )
        return given, rest


def port(text: str) -> int:
    """Return the number of a TCP port. Raises ArgumentTypeError for others."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 1 to 65535")
    return int(text)


def port_of(variable: str) -> int | None:
    """Return the port that an environment variable names, None where it is not set. Raises CommandError."""
    text = os.environ.get(variable)
    try:
        return port(text) if text else None
    except argparse.ArgumentTypeError as error:
        raise CommandError(f"{variable}: {error}") from None


def positive(text: str) -> int:
    """Return a whole number above 0. Raises ArgumentTypeError for others."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def confirmed(question: str, word: str) -> bool:
    """Ask the person at the terminal to type a word. Raises CommandError where there is nobody."""
    if not sys.stdin.isatty():
        raise CommandError("nobody can be asked here: pass --yes to go on without a question")
    return input(f"{question}. Type {word} to go on: ") == word


def run(main: Callable[[], None]) -> None:
    """Run a command's main: an error that its user can mend ends the process with a message.

    The status is 0 for success, 1 for such an error, 2 for a wrong line, 130 for an interrupt, and 141 where
    nobody reads the output any more.
    """
    try:
        main()
        sys.stdout.flush()
    except CommandError as error:
        message = str(error)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Python flushes standard output again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        found = _explained(error)
        if found is None:
            raise
        message = found
    else:
        return
    sys.exit(f"scripts/{Path(sys.argv[0]).stem.replace('_', '-')}: {message}")


def _explained(error: Exception) -> str | None:
    """Say what can be done about an error of AWS or of a file; return None for a defect."""
    import httpx
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,
        HTTPClientError,
        NoRegionError,
    )

    if isinstance(error, httpx.RequestError):
        return f"{error.request.url}: {error}. `make demo` starts what this machine serves"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename is not None else error.strerror
    if isinstance(error, NoRegionError):
        return "no AWS region is set: set AWS_DEFAULT_REGION"
    if isinstance(error, ConnectionError | HTTPClientError):
        return f"{error}. `make demo` starts the emulator; for AWS, check AWS_ENDPOINT_URL and the network"
    return str(error) if isinstance(error, BotoCoreError | ClientError) else None
