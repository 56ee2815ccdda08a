"""The bytes that Athena reads of a small lake, held against sums that are written out by hand."""

from datetime import date
from pathlib import Path

import athena_bytes
import pyarrow as pa
import pytest
from metrics_api.lake_answers import USD_PER_BYTE
from pyarrow import parquet
from pyiceberg.table import Table
from telemetry.lake_reader import MEGABYTE, Query, billed
from tools import lake_tables

COLUMNS = {
    "game_id": "string",
    "event_date": "date",
    "event_type": "string",
    "player_id": "string",
    "payload": "struct<amount_minor:bigint,message:string>",
}
DAYS = [date(2026, 1, day) for day in (1, 2, 3)]


@pytest.fixture
def lake(aws: None, tmp_path: Path) -> Table:
    """A file for each game and day, whose columns differ in size."""
    catalog = lake_tables.catalog()
    catalog.create_namespace("lake")
    schema = lake_tables.schema_of(COLUMNS)
    table = catalog.create_table(("lake", "events"), schema, tmp_path.as_uri())
    for game, count in (("sky", 500), ("sky-2", 900)):
        for day in DAYS:
            rows = [
                {
                    "game_id": game,
                    "event_date": day,
                    "event_type": "purchase" if number % 2 else "crash",
                    "player_id": f"p-{number}",
                    "payload": {"amount_minor": number * day.day, "message": f"{number}" * 9},
                }
                for number in range(count * day.day)
            ]
            table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
    return table


def query(sql: str, first: date = DAYS[0], last: date = DAYS[-1]) -> Query:
    return Query(sql, (), "events", "event_date", "sky", first, last)


def sizes(lake: Table, game: str, *days: date) -> dict[str, int]:
    """Return the bytes of each column in the files of the days: every file of the folder is opened."""
    found: dict[str, int] = {}
    for path in Path(lake.location().removeprefix("file://")).rglob("*.parquet"):
        held = parquet.read_table(path, columns=["game_id", "event_date"]).slice(0, 1).to_pylist()[0]
        if held["game_id"] != game or held["event_date"] not in days:
            continue
        metadata = parquet.ParquetFile(path).metadata
        (group,) = (metadata.row_group(number) for number in range(metadata.num_row_groups))
        for place in range(group.num_columns):
            column = group.column(place)
            found[column.path_in_schema] = found.get(column.path_in_schema, 0) + column.total_compressed_size
    return found


WHERE = "WHERE game_id = 'sky' AND event_date BETWEEN DATE '2026-01-01' AND DATE '2026-01-03'"


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        (f"SELECT count(*) FROM events {WHERE}", ["game_id", "event_date"]),
        (
            f'SELECT event_date, sum(payload."amount_minor") AS message FROM events {WHERE} GROUP BY 1',
            ["game_id", "event_date", "payload.amount_minor"],
        ),
        (
            f"SELECT payload FROM events {WHERE}",
            ["game_id", "event_date", "payload.amount_minor", "payload.message"],
        ),
        (f"SELECT * FROM events {WHERE}", ["game_id", "event_date", "event_type", "player_id",
                                          "payload.amount_minor", "payload.message"]),
        # A table that stands in a statement twice is read twice.
        (
            f"SELECT event_type FROM events {WHERE} AND player_id IN (SELECT player_id FROM events {WHERE})",
            ["game_id", "event_date", "event_type", "player_id", "game_id", "event_date", "player_id"],
        ),
        (
            f"SELECT a, b FROM (SELECT event_type AS a, player_id AS b FROM events {WHERE}) AS one",
            ["game_id", "event_date", "event_type", "player_id"],
        ),
    ],
)  # fmt: skip
def test_the_bytes_are_those_of_the_columns_that_each_scan_names(
    lake: Table, sql: str, names: list[str]
) -> None:
    of = sizes(lake, "sky", *DAYS)
    assert len(set(of.values())) > 3
    assert athena_bytes.scanned(lake, query(sql)) == sum(of[name] for name in names) > 0


def test_other_days_and_games_are_not_read(lake: Table) -> None:
    sql = "SELECT player_id FROM events"
    one, two = (sizes(lake, "sky", *days)["player_id"] for days in (DAYS[1:2], DAYS[:2]))
    assert athena_bytes.scanned(lake, query(sql, DAYS[1], DAYS[1])) == one
    assert athena_bytes.scanned(lake, query(sql, DAYS[0], DAYS[1])) == two > one
    assert athena_bytes.scanned(lake, query(sql, date(2026, 2, 1), date(2026, 2, 2))) == 0
    assert sizes(lake, "sky-2", *DAYS)["player_id"] > sizes(lake, "sky", *DAYS)["player_id"]


def test_a_column_that_is_not_there_is_an_error(lake: Table) -> None:
    with pytest.raises(AssertionError, match=r"payload\.amount"):
        athena_bytes.scanned(lake, query("SELECT payload.amount FROM events"))


def test_athena_bills_whole_megabytes_and_at_least_ten() -> None:
    """Athena's price is $5 for a terabyte of 1024^4 bytes: 10 MB cost 5 / 104,857.6 of a dollar."""
    cases = {0: 10, 1: 10, 10 * MEGABYTE: 10, 10 * MEGABYTE + 1: 11, 12_000_000: 12, 1024 * MEGABYTE: 1024}
    for scanned, megabytes in cases.items():
        assert billed(scanned) == megabytes * 1024 * 1024
    assert billed(0) * USD_PER_BYTE == pytest.approx(5 / 104_857.6)
