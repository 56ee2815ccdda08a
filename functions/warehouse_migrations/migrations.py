"""Migrations as files: numbered, checked against what the warehouse has, filled with its values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
NAME = re.compile(r"(\d{4})_([a-z][a-z0-9_]*)\.sql")
VARIABLE = re.compile(r"\{\{(\w+)\}\}")
# Values stand between quotes: none of these may end them.
UNSAFE = re.compile(r"['\"\\\x00-\x1f]")
OUTSIDE = "-- transaction: none\n"

Values = Mapping[str, str]


class MigrationError(Exception):
    """The migrations cannot be applied as they are; the message says which, and why."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What the warehouse says of a migration it has."""

    name: str
    checksum: str


@dataclass(frozen=True, slots=True)
class Migration:
    """A file: its number, its name and its text before values are filled in."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return sha256(self.text.encode()).hexdigest()

    @property
    def transactional(self) -> bool:
        """Whether it is applied as a whole or not at all; if not, each statement can be repeated."""
        return not self.text.startswith(OUTSIDE)

    def statements(self, values: Values) -> list[str]:
        """Return its statements, filled. Raises MigrationError for a value that is missing or not safe."""
        return statements(self.text, self.name, values)


def load(directory: Path = HERE / "migrations") -> list[Migration]:
    """Return the migrations in order. Raises MigrationError where names or numbers are wrong."""
    found = []
    for path in sorted(directory.iterdir()):
        fits = NAME.fullmatch(path.name)
        if not fits:
            raise MigrationError(f"{path.name}: a migration is named NNNN_name.sql")
        found.append(Migration(int(fits[1]), path.name, path.read_text()))
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(numbers) + 1)):
        raise MigrationError(f"migrations are numbered from 1 without gaps, not {numbers}")
    return found


def refresh(values: Values) -> list[str]:
    """Return the statements that bring the facts up to date."""
    return statements((HERE / "refresh.sql").read_text(), "refresh.sql", values)


def statements(text: str, name: str, values: Values) -> list[str]:
    """Split at each semicolon that ends a line, and fill in values."""

    def fill(found: re.Match[str]) -> str:
        value = values.get(found[1], "")
        if not value or UNSAFE.search(value):
            raise MigrationError(f"{name}: {found[1]} is {value!r}, which cannot stand in SQL")
        return value

    parts = (VARIABLE.sub(fill, part).strip() for part in text.split(";\n"))
    return [part for part in parts if part]


def pending(migrations: Sequence[Migration], applied: Mapping[int, Applied]) -> list[Migration]:
    """Return what is still to be applied.

    Raises MigrationError where the warehouse has a file that was edited, renamed or taken away since, or
    lacks one before.
    """
    known = {migration.number: migration for migration in migrations}
    for number, was in sorted(applied.items()):
        now = known.get(number)
        if now is None:
            raise MigrationError(f"{was.name} is applied but no file any more: deploy the newer version")
        if (now.name, now.checksum) != (was.name, was.checksum):
            raise MigrationError(
                f"{now.name} was edited after {was.name} was applied: put it back, add a new one"
            )
    left = [migration for migration in migrations if migration.number not in applied]
    if left and applied and left[0].number < max(applied):
        raise MigrationError(f"{left[0].name} is not applied, but later ones are")
    return left
