"""Silver on the emulator, whose Athena knows no Iceberg tables: what AWS does through Athena and Glue."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from privacy.data_stores import SILVER, Record, Subject
from pyiceberg.table import Table

from tools import gold


@dataclass(frozen=True, slots=True)
class LocalSilver:
    """An Iceberg table with players, through PyIceberg: erasure leaves no file with the player's rows."""

    name: str = "silver"
    table: str = "events"
    columns: Sequence[str] = SILVER

    def find(self, subject: Subject) -> Iterator[Record]:
        """Yield the rows."""
        rows = gold.iceberg(self.table).scan(row_filter=subject.condition(self.columns)).to_arrow()
        for row in rows.to_pylist():
            yield json.loads(json.dumps(row, default=str))

    def erase(self, subject: Subject) -> int:
        """Delete the rows, the snapshots that have them, and the files that no snapshot names any more."""
        table = gold.iceberg(self.table)
        held = table.scan(row_filter=subject.condition(self.columns)).count()
        # PyIceberg keeps a row for which one part of an OR is null, whatever the other part says.
        for column in self.columns if held else ():
            table.delete(subject.condition([column]))
        before = data_files(table)
        current = table.current_snapshot()
        newest = current.snapshot_id if current else None
        old = [one.snapshot_id for one in table.snapshots() if one.snapshot_id != newest]
        if old:
            table.maintenance.expire_snapshots().by_ids(old).commit()
        table.refresh()
        for path in sorted(before - data_files(table)):
            table.io.delete(path)
        return held


def data_files(table: Table) -> set[str]:
    """Return the data files that any snapshot of a table names."""
    # pyiceberg cannot list the files of a table that never had one.
    if not any(snapshot.manifests(table.io) for snapshot in table.snapshots()):
        return set()
    return set(table.inspect.all_data_files()["file_path"].to_pylist())
