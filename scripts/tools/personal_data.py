"""What this machine keeps of players beside AWS: the copies and tables that `scripts/batch` made."""
# ruff: noqa: S608 - Subject lets only ids into the statements

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from privacy.places import Record, Subject, is_event, readable
from telemetry import lake


@dataclass(frozen=True, slots=True)
class LocalCopy:
    """What `scripts/batch` made of bronze on this machine: its copies, and silver as Parquet."""

    directory: Path
    name: str = "local lake"

    def find(self, subject: Subject) -> Iterator[Record]:
        """Yield the rows of silver and the lines of the copied bronze."""
        for file in self._silver(subject):
            rows = duckdb.sql(f"SELECT to_json(t) FROM {_parquet(file)} AS t WHERE {subject.named}")
            yield from (json.loads(row) for (row,) in rows.fetchall())
        for file in self._bronze():
            yield from (readable(line) for line in _file_lines(file) if is_event(line, subject))

    def forget(self, subject: Subject) -> int:
        """Write the files of silver anew; drop the copies, which the next run fetches again."""
        count = 0
        for file in self._silver(subject):
            where = subject.named
            held = duckdb.sql(f"SELECT count(*) FROM {_parquet(file)} WHERE {where}").fetchall()[0][0]
            if held:
                aside = file.with_suffix(".aside")
                kept = f"SELECT * FROM {_parquet(file)} WHERE NOT ({where})"
                duckdb.sql(f"COPY ({kept}) TO '{aside}' (FORMAT parquet, COMPRESSION snappy)")
                # Hadoop would compare the new file with the checksum of the old one.
                file.with_name(f".{file.name}.crc").unlink(missing_ok=True)
                aside.replace(file)
                count += held
        for file in self._bronze():
            held = sum(is_event(line, subject) for line in _file_lines(file))
            if held:
                file.unlink()
                count += held
        return count

    def _silver(self, subject: Subject) -> Sequence[Path]:
        """Return the game's files; the game is in their path."""
        tables = (self.directory / "silver" / "events", self.directory / "batch" / "merging")
        return sorted(f for t in tables for f in t.glob(f"game_id={subject.game_id}/*/*.parquet"))

    def _bronze(self) -> Sequence[Path]:
        files = (self.directory / "bronze").rglob("*")
        return sorted(f for f in files if f.is_file() and not f.name.startswith("."))


def _parquet(file: Path) -> str:
    return f"read_parquet('{file}', hive_partitioning = false)"


def _file_lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened, lake.unzipped(opened) as content:
        yield from content
