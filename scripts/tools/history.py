"""The history of what the emulator holds: its bronze, computed by the Spark job, against what was sent."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from tools.simulation import Truth

ALL = "platform = '*' AND country = '*' AND app_version = '*'"


def figures(directory: Path, game_id: str) -> dict[str, Any]:
    """Return what silver and gold in a directory say of a game; money is in minor units."""
    with duckdb.connect() as database:

        def rows(source: str, sql: str) -> list[Any]:
            files = str(directory / source / "**" / "*.parquet").replace("'", "''")
            scan = f"read_parquet('{files}', hive_partitioning = true)"
            return database.execute(sql.format(table=scan), [game_id]).fetchall()

        def gold(table: str, columns: str, where: str = "true") -> dict[str, int]:
            rest = f"WHERE game_id = ? AND {ALL} AND {where} GROUP BY 1 ORDER BY 1"
            sql = f"SELECT {columns} FROM {{table}} {rest}"  # noqa: S608
            return {str(name): int(value) for name, value in rows(f"gold/{table}", sql)}

        silver = rows(
            "silver/events", "SELECT count(*), count(DISTINCT event_id) FROM {table} WHERE game_id = ?"
        )
        return {
            "events in silver": silver[0][0],
            "of them distinct": silver[0][1],
            "active players": gold("daily", "event_date, sum(active_players)"),
            "revenue in minor units": gold("revenue", "currency, sum(gross_minor)"),
            "virtual currencies": gold("economy", "currency || ' ' || flow, sum(amount)", "reason = '*'"),
            "levels completed": gold("progression", "level_1, sum(completes)", "completes > 0"),
            "players who came back the day after": gold(
                "retention", "cohort_date, sum(retained_players)", "day_number = 1"
            ),
        }


def expect(truth: Truth, today: date) -> dict[str, Any]:
    """Return the same figures from what was sent; `today` still runs."""
    levels = {
        name.removesuffix(" complete"): n for name, n in truth.levels.items() if name.endswith(" complete")
    }
    return {
        "events in silver": truth.accepted,
        "of them distinct": truth.accepted,
        "active players": {day: len(players) for day, players in sorted(truth.players_by_day.items())},
        "revenue in minor units": dict(sorted(truth.revenue.items())),
        "virtual currencies": dict(sorted(truth.economy.items())),
        "levels completed": dict(sorted(levels.items())),
        "players who came back the day after": truth.came_back(today),
    }
