"""SQL files of the warehouse: numbered migrations and the refresh, split into statements."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
NAME = re.compile(r"(\d{4})_([a-z][a-z0-9_]*)\.sql")
VARIABLE = re.compile(r"\{\{(\w+)\}\}")
# Values stand between quotes, which none of these characters may end.
UNSAFE = re.compile(r"['\"\\\x00-\x1f]")
OUTSIDE = "-- transaction: none\n"

Values = Mapping[str, str]


class MigrationError(Exception):
    """A file cannot be applied; the message names the file and the reason."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A migration in the ledger of the warehouse."""

    name: str
    checksum: str


@dataclass(frozen=True, slots=True)
class Migration:
    """A numbered file; its text still names the values."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return sha256(self.text.encode()).hexdigest()

    @property
    def transactional(self) -> bool:
        """Whether the file runs in one transaction; otherwise each of its statements can be repeated."""
        return not self.text.startswith(OUTSIDE)

    def statements(self, values: Values) -> list[str]:
        """Return the statements with values. Raises MigrationError for a missing or unsafe value."""
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
    """Split a text at each semicolon that ends a line, and fill in values."""

    def fill(found: re.Match[str]) -> str:
        value = values.get(found[1], "")
        if not value or UNSAFE.search(value):
            raise MigrationError(f"{name}: {found[1]} is {value!r}, which cannot be written into SQL")
        return value

    parts = (VARIABLE.sub(fill, part).strip() for part in text.split(";\n"))
    return [part for part in parts if part]


def pending(migrations: Sequence[Migration], applied: Mapping[int, Applied]) -> list[Migration]:
    """Return the migrations that the warehouse lacks.

    Raises MigrationError where an applied file was edited, renamed or removed since, or where the ledger
    lacks a file although it has a later one.
    """
    known = {migration.number: migration for migration in migrations}
    for number, was in sorted(applied.items()):
        now = known.get(number)
        if now is None:
            raise MigrationError(f"{was.name} was applied but is no longer a file: deploy the newer version")
        if (now.name, now.checksum) != (was.name, was.checksum):
            raise MigrationError(
                f"{now.name} was edited after {was.name} was applied: restore it and add a new migration"
            )
    left = [migration for migration in migrations if migration.number not in applied]
    if left and applied and left[0].number < max(applied):
        raise MigrationError(f"{left[0].name} is not applied, but later ones are")
    return left
