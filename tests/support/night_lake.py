"""A lake in DuckDB that grows by runs of the batch job, and how its gold differs from plain Python's."""

from collections import Counter
from collections.abc import Iterable

import plain_gold
from batch_analytics import kept
from duckdb_nights import DuckDB
from nights import Event, exact
from privacy.data_stores import KEPT


class Lake:
    """Silver that grows by runs, and the gold that they publish."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.store = DuckDB()
        self.silver: dict[tuple[str, str], Event] = {}
        self.said: list[str] = []
        self.runs = 0

    def add(self, events: Iterable[Event]) -> set[str]:
        """Add what silver does not hold; return the games of the events."""
        self.runs += 1
        games = set()
        new: dict[tuple[str, str], Event] = {}
        for event in events:
            games.add(event["game_id"])
            key = event["game_id"], event["event_id"]
            if key not in self.silver:
                new[key] = event | {"added_ms": self.runs * 1000}
        if new:
            names = list(next(iter(new.values())))
            marks = ", ".join("?" * len(names))
            self.store.database.executemany(
                f"INSERT INTO lake.silver ({', '.join(names)}) VALUES ({marks})",
                [[event[name] for name in names] for event in new.values()],
            )
        self.silver |= new
        return games

    def gold(self, games: set[str], tables: int = len(kept.GOLD)) -> kept.Night:
        """Compute gold; a run that dies has computed some tables only, and ended nothing."""
        night = kept.Night(self.store, f"run-{self.runs}", self.said.append)
        for number, (table, change) in enumerate(night.changes(sorted(games)), start=1):
            if number > tables:
                return night
            self.store.change(table, change)
        night.end()
        return night

    def run(self, events: Iterable[Event]) -> None:
        """Do a whole run."""
        if games := self.add(events):
            self.publish(self.gold(games))

    def publish(self, night: kept.Night) -> None:
        """Note what gold shows."""
        kept.published(self.store, night.run_id, sorted(night.games))

    def erase(self, game: str, player: str) -> None:
        """Take a player out of silver and the kept tables, as an erasure does."""
        columns = ("player_id", "previous_player_id")
        self.silver = {
            key: event
            for key, event in self.silver.items()
            if event["game_id"] != game or player not in [event[name] for name in columns]
        }
        for table, names in {"silver": columns, **KEPT}.items():
            named = " OR ".join(f"{name} = '{player}'" for name in names)
            self.store.delete(table, f"game_id = '{game}' AND ({named})")

    def differing(self) -> list[str]:
        """Return the rows that gold and plain Python do not share, in words."""
        wanted = plain_gold.gold(self.silver.values())
        found: list[str] = []
        for table, rows in wanted.items():
            names = sorted({name for row in rows for name in row})
            if not rows:
                assert not self.store.rows(f"SELECT * FROM {self.store.name(table)}")
                continue
            have = self.store.rows(f"SELECT {', '.join(names)} FROM {self.store.name(table)}")
            ours = Counter(tuple(map(exact, row)) for row in have)
            theirs = Counter(tuple(exact(row[name]) for name in names) for row in rows)
            found += [f"{table}: gold has {dict(zip(names, row, strict=True))}" for row in ours - theirs]
            found += [f"{table}: gold lacks {dict(zip(names, row, strict=True))}" for row in theirs - ours]
        return found
