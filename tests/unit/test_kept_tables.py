"""The declared tables of the lake, what erasure deletes from, and what the batch job calls them."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from batch_analytics import kept
from privacy.data_stores import KEPT
from telemetry.lateness import TOO_OLD_AFTER

MODULES = Path(__file__).parents[2] / "infrastructure" / "modules"
DECLARED = json.loads((MODULES / "lake_tables" / "tables" / "kept.json").read_text())


def named(table: str) -> set[str]:
    return {column["name"] for column in DECLARED[table]["columns"]}


def test_each_kept_table_is_declared() -> None:
    assert set(DECLARED) == {*kept.TABLES, kept.ACCOUNTS, kept.GAMES}
    assert named(kept.GAMES) == set(kept.Game.__dataclass_fields__)


def test_an_erasure_reaches_every_table_that_names_players() -> None:
    personal = {table for table in DECLARED if "player_id" in named(table)}
    assert personal == set(KEPT)


def test_terraform_keeps_what_waits_for_late_events_as_long_as_they_are_accepted() -> None:
    days = TOO_OLD_AFTER.days
    assert f"rejected_days >= {days}\n" in (MODULES / "data_lake" / "variables.tf").read_text()
    looked_back = re.search(r"event_date = (\d+) \+ 1 }", (MODULES / "quicksight" / "main.tf").read_text())
    assert looked_back
    assert int(looked_back[1]) == days


def test_a_definition_is_its_sql_and_no_comment(monkeypatch: pytest.MonkeyPatch) -> None:
    read, before = kept.sql, kept.definition()

    def with_change(change: Callable[[str], str]) -> str:
        monkeypatch.setattr(kept, "sql", lambda name: change(read(name)))
        return kept.definition()

    assert with_change(lambda text: f"-- Said otherwise.\n{text}\n") == before
    assert with_change(lambda text: text.replace("1800000", "1200000")) != before


@pytest.mark.parametrize(
    "path", sorted(Path(kept.__file__).parent.glob("sql/*/*.sql")), ids=lambda path: path.stem
)
def test_each_sql_file_is_part_of_the_definition(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, before, name = kept.sql, kept.definition(), f"{path.parent.name}/{path.stem}"
    monkeypatch.setattr(kept, "sql", lambda one: read(one) + (" changed" if one == name else ""))
    assert kept.definition() != before


def test_literals_cannot_end_early() -> None:
    assert kept.literal("it's \\ it") == "'it\\'s \\\\ it'"
    assert kept.among(["b", "a'"]) == "game_id IN ('a\\'', 'b')"
