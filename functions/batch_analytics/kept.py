"""What is kept between runs, so that a night costs what the day brought, and how a run goes on from it.

A run appends what its new events add to the kept tables, and computes the gold rows that can have changed.
Where that cannot be known from the kept tables, it computes the game from all its events again.
"""

import hashlib
import json
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, NamedTuple, Protocol, cast

from telemetry.lateness import TOO_OLD_AFTER

# The fields of the payload that gold reads.
PAYLOAD = (
    "store", "transaction_id", "currency", "amount_minor", "flow", "reason", "amount", "balance_after",
    "status", "level_1", "level_2", "level_3", "fps", "frame_time_ms", "latency_ms", "load_time_ms",
    "memory_mb", "fatal", "name", "value", "network", "placement", "format", "revenue_micros", "completed",
    "purchase_kind", "sandbox", "tax_minor", "store_fee_minor", "refund_id", "refund_kind",
    "step", "match_id", "mode", "result", "duration_seconds", "queue_seconds",
    "install_source", "campaign", "experiment", "variant", "previous_player_id",
)  # fmt: skip
# In the order in which a run appends to them: a run that dies leaves rows in the first one, or in none.
TABLES = (
    "kept_presence", "kept_purchases", "kept_refunds", "kept_moves", "kept_movers", "kept_attempts",
    "kept_samples", "kept_designs", "kept_ads", "kept_steps", "kept_matches", "kept_sources",
    "kept_exposures", "kept_currencies", "kept_links", "kept_players",
)  # fmt: skip
GAMES, LINKS, ACCOUNTS = "kept_games", "kept_links", "kept_accounts"
# The day column of each gold table. scripts/schemas writes audit.json from the metrics model.
GOLD: dict[str, str] = {
    name: next(column for column in table["grain"] if column.endswith("_date"))
    for name, table in json.loads(cast(bytes, pkgutil.get_data("batch_analytics", "audit.json"))).items()
}
# Views that gold tables share: computed once, kept on disk, so that memory does not grow with the lake.
SHARED = (
    "players", "transactions", "refunds", "plays", "days", "stays", "cohorts", "installs", "install_sizes",
    "exposed", "variants", "counted_links", "first_values",
)  # fmt: skip
# Tables of which a day needs the events of the day alone, and what first days tell of custom dimensions.
OF_A_DAY = (
    "economy", "progression", "stability", "performance", "design", "ads", "matches", "performance_bins",
)  # fmt: skip
# Columns of silver with the values of custom dimensions: where the current one counts, and the first day's.
CUSTOM = ("custom_1", "custom_2", "install_1", "install_2")
# Other SQL of sql/kept that decides what gold says.
ALSO = ("leaving", "since", "confirmed", "unmatched_refunds", "_links", "ignored_links")
NEVER = date(1970, 1, 1)
# A month, that daily looks back from a day; the cohorts whose retention a day changes; the days after an
# exposure that `experiments` has.
MONTH, COHORTS, EXPOSED = 31, 90, 30
# The days that an event may be late; its session may have begun before.
LATE = TOO_OLD_AFTER.days + 2


class Store(Protocol):
    """What keeps the tables and runs the SQL: Spark on Iceberg, and DuckDB in tests."""

    def name(self, table: str) -> str:
        """Return a table's name for SQL."""

    def rows(self, query: str) -> Sequence[Sequence[Any]]:
        """Return the rows of a query."""

    def columns(self, table: str) -> Sequence[str]:
        """Return the names of a table's columns."""

    def view(self, name: str, query: str) -> None:
        """Name a query."""

    def share(self, view: str) -> None:
        """Compute a view once, when it is first read."""

    def append(self, table: str, query: str) -> None:
        """Add the rows of a query to a table."""

    def delete(self, table: str, predicate: str) -> None:
        """Delete rows of a table."""

    def replace(self, table: str, predicate: str, query: str) -> None:
        """Put the rows of a query in the place of others, at once."""

    def held(self, games: Sequence[str]) -> Mapping[str, int]:
        """Return how many events silver holds of each game."""


@dataclass(frozen=True, slots=True)
class Game:
    """What is kept of a game: what it was made with, of which events, and how much of that gold shows.

    `until_ms` and `published_ms` are silver's `added_ms`. Kept rows of days before `floor` are summed up in
    kept_players and are not read. `newest` is the last day with an event. `links` are events that link ids,
    `slot_1` and `slot_2` those that have a custom dimension.
    """

    game_id: str
    definition: str = ""
    run_id: str = ""
    until_ms: int = -1
    published_ms: int = -1
    events: int = 0
    floor: date = NEVER
    newest: date = NEVER
    last_day: date = NEVER
    published_day: date = NEVER
    links: int = 0
    slot_1: int = 0
    slot_2: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """The new rows of a gold table, and the days or cohorts by game whose rows they replace (None: all)."""

    query: str
    column: str
    replaced: Mapping[str, set[date] | None]


class Fresh(NamedTuple):
    """The events of a game that are in silver and not in the kept tables."""

    events: int
    first: date
    newest: date
    last_arrival: date
    until_ms: int
    links: int
    slot_1: int
    slot_2: int


class Rebuild(Exception):
    """Games cannot go on from what is kept; the message of each says why."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        """Take the reason of each game."""
        super().__init__(str(reasons))
        self.reasons = dict(reasons)


@dataclass(slots=True)
class Night:
    """One run over some games: `changes` yields what it changes in gold, `end` is for the next run."""

    store: Store
    run_id: str
    say: Callable[[str], None]
    games: dict[str, Game] = field(default_factory=dict)
    until_ms: int = -1

    def changes(self, games: Sequence[str]) -> Iterator[tuple[str, Change]]:
        """Bring the kept tables up to date with silver; yield each gold table's changes."""
        kept = read(self.store, games)
        while True:
            try:
                bounds, touched = self._advance({game: kept.get(game, Game(game)) for game in games})
                break
            except Rebuild as found:
                for game, reason in found.reasons.items():
                    self.say(f"{game}: everything is computed again from silver, because {reason}")
                drop(self.store, sorted(found.reasons))
                kept = {game: one for game, one in kept.items() if game not in found.reasons}
        yield from self._gold(bounds, touched)
        leaving = {game: bound for game, bound in bounds.items() if bound.next_floor > bound.floor}
        if leaving:
            self.store.append("kept_players", stamped(sql("kept/leaving"), self.until_ms))

    def end(self) -> None:
        """Keep what the changes were made of: from here on the run's new events are no longer new."""
        write(self.store, self.games.values())

    def _advance(self, games: Mapping[str, Game]) -> tuple[dict[str, "Bound"], dict[str, set[date] | None]]:
        """Append what new events add to the kept tables; return the bounds of gold and the touched days.

        Raises Rebuild for games that cannot go on from what is kept.
        """
        store = self.store
        new = either((f"added_ms > {game.until_ms}", game.game_id) for game in games.values())
        fresh = {
            row[0]: Fresh(*row[1:])
            for row in store.rows(
                "SELECT game_id, COUNT(*), MIN(event_date), MAX(event_date), MAX(arrival_date), "
                "MAX(added_ms), SUM(CASE WHEN event_type = 'identify' THEN 1 ELSE 0 END), "
                "COUNT(COALESCE(custom_1, install_1)), COUNT(COALESCE(custom_2, install_2)) "
                f"FROM silver WHERE {new} GROUP BY game_id"
            )
        }
        self._check(games, fresh)
        self.until_ms = max(
            [one.until_ms for one in fresh.values()] + [one.until_ms for one in games.values()]
        )
        unfinished = either((f"added_ms > {game.until_ms}", game.game_id) for game in games.values())
        if store.rows(f"SELECT 1 FROM {store.name(TABLES[0])} WHERE {unfinished} LIMIT 1"):
            for table in TABLES:
                store.delete(table, unfinished)
        of_games = among(games)
        if fresh:
            declared = [name for name, one in games.items() if any(_slots(self._with(one, fresh.get(name))))]
            by_player = among(declared) if declared else "FALSE"
            store.view("events", f"SELECT *, {by_player} AS by_player FROM silver WHERE {new}")
            store.view("old_purchases", f"SELECT * FROM {store.name('kept_purchases')} WHERE {of_games}")
            store.view("old_refunds", f"SELECT * FROM {store.name('kept_refunds')} WHERE {of_games}")
            store.view("old_steps", f"SELECT * FROM {store.name('kept_steps')} WHERE {of_games}")
            store.view("old_exposures", f"SELECT * FROM {store.name('kept_exposures')} WHERE {of_games}")
            store.view("old_players", f"SELECT * FROM {store.name('kept_players')} WHERE {of_games}")
            # Most nights of most games bring no link: they must not pay for a query.
            new_links = any(one.links for one in fresh.values())
            if new_links:
                store.view("old_links", f"SELECT * FROM {store.name(LINKS)} WHERE {of_games}")
            for table in TABLES[:-1]:
                if table != LINKS or new_links:
                    store.append(table, stamped(sql(f"kept/{table}"), self.until_ms))
            first = min(one.first for one in fresh.values())
            store.view(
                "new_presence",
                f"SELECT * FROM {store.name('kept_presence')} WHERE {of_games} "
                f"AND added_ms = {self.until_ms} AND event_date >= {literal(first)}",
            )
            store.append("kept_players", stamped(sql("kept/kept_players"), self.until_ms))
        self.games = {name: self._with(game, fresh.get(name)) for name, game in games.items()}
        return self._bounds(games)

    def _check(self, games: Mapping[str, Game], fresh: Mapping[str, Fresh]) -> None:
        """Raise Rebuild for the games whose kept tables are not those of their silver."""
        reasons: dict[str, str] = {}
        held, now = self.store.held(sorted(games)), definition()
        for name, game in games.items():
            count = fresh[name].events if name in fresh else 0
            if not game.definition:
                continue
            if game.definition != now:
                reasons[name] = "the definition of gold has changed since it was computed"
            elif held.get(name, 0) != game.events + count:
                reasons[name] = (
                    f"silver holds {held.get(name, 0)} events of it, where {game.events} were there before "
                    f"and {count} are new: events were erased or restored"
                )
            elif name in fresh and fresh[name].first < game.floor + timedelta(MONTH):
                reasons[name] = f"an event of {fresh[name].first} is new, before {game.floor} and a month"
        if reasons:
            raise Rebuild(reasons)

    def _with(self, game: Game, fresh: Fresh | None) -> Game:
        """Return what is kept of a game once its new events are."""
        if fresh:
            game = replace(
                game,
                events=game.events + fresh.events,
                newest=max(game.newest, fresh.newest),
                last_day=max(game.last_day, fresh.last_arrival - timedelta(1)),
                links=game.links + fresh.links,
                slot_1=game.slot_1 + fresh.slot_1,
                slot_2=game.slot_2 + fresh.slot_2,
            )
        return replace(game, definition=definition(), run_id=self.run_id, until_ms=self.until_ms)

    def _bounds(self, before: Mapping[str, Game]) -> tuple[dict[str, "Bound"], dict[str, set[date] | None]]:
        """Return since when the gold of each game is computed, and which days have new events."""
        store = self.store
        floors = {name: game.floor for name, game in before.items()}
        recent = either((f"event_date >= {literal(floor)}", name) for name, floor in floors.items())
        moved = self._link(before)
        store.view("kept_presence", self._of_accounts("kept_presence", recent, moved=True))
        store.view("kept_refunds", f"SELECT * FROM {store.name('kept_refunds')} WHERE {among(before)}")
        published = {name: game for name, game in before.items() if game.published_ms >= 0}
        found: dict[str, date] = {}
        early: dict[str, str] = {}
        touched: dict[str, set[date] | None] = dict.fromkeys(before)
        if published:
            store.view(
                "games", values("game_id, published_ms", ((n, g.published_ms) for n, g in published.items()))
            )
            found = {row[0]: row[1] for row in store.rows(sql("kept/since"))}
            store.view(
                "all_purchases", f"SELECT * FROM {store.name('kept_purchases')} WHERE {among(published)}"
            )
            for name, day in store.rows(sql("kept/confirmed")):
                found[name] = min(day, found.get(name, day))
            newer = either((f"added_ms > {game.published_ms}", name) for name, game in published.items())
            days = store.rows(f"SELECT DISTINCT game_id, event_date FROM kept_presence WHERE {newer}")
            early = {
                row[0]: f"amounts in {row[1]} are new, and each of its days has a row of each currency"
                for row in store.rows(
                    "SELECT k.game_id, MAX(k.currency) FROM (SELECT game_id, currency, MIN(added_ms) AS "
                    f"added_ms FROM {store.name('kept_currencies')} WHERE {among(published)} "
                    "GROUP BY game_id, currency) AS k JOIN games AS g "
                    "ON g.game_id = k.game_id AND k.added_ms > g.published_ms GROUP BY k.game_id"
                )
            }
            for name, (day, split) in moved.items():
                if name in published and day:
                    found[name] = min(day, found.get(name, day))
                if name in published and split:
                    early[name] = "ids that counted as one player no longer do"
            for name in published:
                touched[name] = {day for game, day in days if game == name} | {self.games[name].newest}
        for name, game in before.items():
            now = self.games[name]
            if game.definition and ((game.slot_1 == 0 < now.slot_1) or (game.slot_2 == 0 < now.slot_2)):
                early[name] = "its events have a custom dimension that they did not have before"
        bounds: dict[str, Bound] = {}
        for name, game in self.games.items():
            floor = floors[name]
            horizon = game.last_day - timedelta(LATE + MONTH)
            if name not in published:
                bounds[name] = Bound(NEVER, floor, max(floor, horizon), game.last_day, *_slots(game))
                if floor > NEVER:
                    early[name] = "its gold was never published"
                continue
            since = min(found.get(name, game.newest), game.published_day + timedelta(1), game.newest)
            if since < floor + timedelta(MONTH):
                early[name] = (
                    f"a session since {since} has a new event or another player, before {floor} and a month"
                )
            next_floor = max(floor, min(horizon, since - timedelta(MONTH)))
            bounds[name] = Bound(since, floor, next_floor, game.last_day, *_slots(game))
            if any(_slots(game)):
                # A late event of a player's first day changes the value of all later days of the player.
                touched[name] = set(span(since, game.newest))
        if early:
            raise Rebuild(early)
        self.games = {name: replace(game, floor=bounds[name].next_floor) for name, game in self.games.items()}
        return bounds, touched

    def _link(self, before: Mapping[str, Game]) -> dict[str, tuple[date | None, bool]]:
        """Keep the accounts of games with links; return the first day of ids that moved, if some are split.

        They are kept because each view of kept rows joins them: Spark plans a join with a table at once.
        """
        store = self.store
        linked = [name for name, game in self.games.items() if game.links]
        if not linked:
            return {}
        store.view("all_links", f"SELECT * FROM {store.name(LINKS)} WHERE {among(linked)}")
        store.view("every_player", f"SELECT * FROM {store.name('kept_players')} WHERE {among(linked)}")
        shown = ((name, before[name].published_ms) for name in linked)
        store.view("linked_games", values("game_id, published_ms", shown))
        for view, query in views("kept/_links"):
            store.view(view, query)
            if view in SHARED:
                store.share(view)
        store.delete(ACCOUNTS, among(linked))
        store.append(ACCOUNTS, "SELECT * FROM accounts")
        found = store.rows(
            "SELECT game_id, MIN(CASE WHEN moved THEN first_date END), "
            "MAX(CASE WHEN split THEN 1 ELSE 0 END) "
            f"FROM {store.name(ACCOUNTS)} WHERE {among(linked)} GROUP BY game_id"
        )
        return {row[0]: (row[1], bool(row[2])) for row in found}

    def _of_accounts(self, table: str, where: str, moved: bool = False, older: str = "") -> str:
        """Return the query of kept rows, those of linked ids under their accounts.

        With `moved`, rows of ids that moved are as new as the run's own: they change the same days. With
        `older`, rows of linked ids are returned under this predicate, those of other players under `where`.
        """
        name = self.store.name(table)
        linked = [game.game_id for game in self.games.values() if game.links]
        if not linked:
            return f"SELECT * FROM {name} WHERE {where}"
        changed = {"player_id": "COALESCE(account_id, player_id) AS player_id"}
        if moved:
            changed["added_ms"] = (
                f"CASE WHEN moved THEN CAST({self.until_ms} AS BIGINT) ELSE added_ms END AS added_ms"
            )
        columns = ", ".join(changed.get(column, column) for column in self.store.columns(table))
        return (
            f"SELECT {columns} FROM (SELECT * FROM {name} WHERE {older or where}) AS kept "
            "LEFT JOIN (SELECT game_id AS linked_game, player_id AS linked_id, account_id, moved "
            f"FROM {self.store.name(ACCOUNTS)} WHERE {among(linked)}) AS linked "
            "ON linked_game = game_id AND linked_id = player_id"
            + (f" WHERE account_id IS NOT NULL OR {where}" if older else "")
        )

    def _gold(
        self, bounds: Mapping[str, "Bound"], touched: Mapping[str, set[date] | None]
    ) -> Iterator[tuple[str, Change]]:
        """Name what the tables read; yield each one's changes."""
        store = self.store
        store.view(
            "bounds",
            values(
                "game_id, since, floor, next_floor, last_day, slot_1, slot_2",
                ((name, *bound) for name, bound in bounds.items()),
            ),
        )
        store.view("kept_players", self._of_accounts("kept_players", among(bounds)))
        store.view("kept_currencies", f"SELECT * FROM {store.name('kept_currencies')} WHERE {among(bounds)}")
        earlier = either(
            (f"event_date >= {literal(bound.floor - timedelta(MONTH + 1))}", name)
            for name, bound in bounds.items()
        )
        store.view("kept_purchases", self._of_accounts("kept_purchases", earlier))
        # Of a linked player, the first step or exposure may be one of long ago, of an id that joined later.
        store.view("kept_steps", self._of_accounts("kept_steps", earlier, older=among(bounds)))
        exposed = either(
            (f"event_date >= {literal(bound.floor - timedelta(MONTH + 1 + EXPOSED))}", name)
            for name, bound in bounds.items()
        )
        store.view("kept_exposures", self._of_accounts("kept_exposures", exposed, older=among(bounds)))
        # A refund may come long after its purchase.
        store.view("all_purchases", self._of_accounts("kept_purchases", among(bounds)))
        changing = either((f"event_date >= {literal(bound.since)}", name) for name, bound in bounds.items())
        store.view("recent_ads", self._of_accounts("kept_ads", changing))
        installed = either(
            (f"event_date >= {literal(bound.since - timedelta(COHORTS))}", name)
            for name, bound in bounds.items()
        )
        store.view("kept_sources", self._of_accounts("kept_sources", installed))
        # The first day of a player may be years ago.
        custom = [name for name, bound in bounds.items() if bound.slot_1 or bound.slot_2]
        told = f"{among(custom)} AND kind IN ('custom_1', 'custom_2')" if custom else "FALSE"
        store.view("kept_values", self._of_accounts("kept_sources", told))
        days = on(touched)
        store.view("touched_presence", f"SELECT * FROM kept_presence WHERE {days}")
        for table in ("kept_moves", "kept_samples"):
            # Their rows have players in games with custom dimensions only.
            rows = f"SELECT * FROM {store.name(table)} WHERE {days}"
            store.view(table, self._of_accounts(table, days) if custom else rows)
        for table in ("kept_movers", "kept_attempts", "kept_ads", "kept_matches"):
            store.view(table, self._of_accounts(table, days))
        followed = either(
            (f"event_date >= {literal(bound.since - timedelta(EXPOSED))}", name)
            for name, bound in bounds.items()
        )
        designs = self._of_accounts("kept_designs", f"({days} OR {followed})")
        store.view("kept_designs", f"SELECT *, ({days}) AS touched FROM ({designs}) AS designs")
        for view, query in views():
            store.view(view, query)
            if view in SHARED and (custom or view != "first_values"):
                store.share(view)
        shown = {name: bound for name, bound in bounds.items() if bound.since > NEVER}
        # A cohort may have lost its last player to an earlier day: its rows must go.
        recent = {
            name: set(span(bound.since - timedelta(COHORTS), self.games[name].newest))
            for name, bound in shown.items()
        }
        older = store.rows(f"SELECT game_id, cohort_date FROM cohorts WHERE {among(shown)}") if shown else ()
        changed = {
            "retention": {
                name: days | {day for game, day in older if game == name} for name, days in recent.items()
            },
            "lifetime_value": recent,
        }
        for table, days_of in changed.items():
            before = either(
                (f"cohort_date IN ({', '.join(map(literal, sorted(old)))})", name)
                for name, found in days_of.items()
                if (old := [day for day in found if day < shown[name].since])
            )
            store.view(f"published_{table}", f"SELECT * FROM {store.name(table)} WHERE {before}")
        # Days without an event have rows too, once they are over.
        acquired: dict[str, set[date]] = {
            name: set(span(bound.since, max(self.games[name].newest, bound.last_day)))
            for name, bound in shown.items()
        }
        changed |= dict.fromkeys(
            (
                "acquisition",
                "acquisition_value",
                "experiments",
                "experiment_revenue",
                "experiment_design",
            ),
            acquired,
        )
        yesterday = either(
            (f"event_date = {literal(bound.since - timedelta(1))}", name) for name, bound in shown.items()
        )
        store.view(
            "published_acquisition_value",
            f"SELECT * FROM {store.name('acquisition_value')} WHERE {yesterday}",
        )
        for table, column in GOLD.items():
            if table in OF_A_DAY:
                replaced = {name: touched[name] or set() for name in shown}
            else:
                replaced = changed.get(table) or {
                    name: set(span(bound.since, self.games[name].newest)) for name, bound in shown.items()
                }
            yield table, Change(sql(f"gold/{table}"), column, {name: replaced.get(name) for name in bounds})


class Bound(NamedTuple):
    """Of a game: since when rows are computed, since when kept rows are read, now and next time.

    `last_day` is the last day that is over. The slots are 1 where events have that custom dimension.
    """

    since: date
    floor: date
    next_floor: date
    last_day: date
    slot_1: int
    slot_2: int


def _slots(game: Game) -> tuple[int, int]:
    return int(game.slot_1 > 0), int(game.slot_2 > 0)


def published(store: Store, run_id: str, games: Sequence[str]) -> None:
    """Note that gold shows what a run computed of games."""
    kept = read(store, games).values()
    write(
        store,
        [
            replace(game, published_ms=game.until_ms, published_day=game.last_day)
            for game in kept
            if game.run_id == run_id
        ],
    )


def unseen(kept: Mapping[str, Game], games: Sequence[str]) -> str:
    """Return the predicate of silver's events that gold does not show yet."""
    return either((f"added_ms > {kept.get(name, Game(name)).published_ms}", name) for name in games)


def refunds(store: Store, games: Sequence[str]) -> dict[str, dict[str, int]]:
    """Count all refunds of each game that has some, and those whose purchase no event has reported."""
    store.view("every_refund", f"SELECT * FROM {store.name('kept_refunds')} WHERE {among(games)}")
    store.view("every_purchase", f"SELECT * FROM {store.name('kept_purchases')} WHERE {among(games)}")
    return {
        game: {"refunds": int(known), "unmatched_refunds": int(unmatched)}
        for game, known, unmatched in store.rows(sql("kept/unmatched_refunds"))
    }


def links(store: Store, kept: Mapping[str, Game]) -> dict[str, dict[str, int]]:
    """Count the pairs of ids that events link, of each game that has some, and those that count as two."""
    linked = [name for name, game in kept.items() if game.links]
    if not linked:
        return {}
    store.view("every_link", f"SELECT * FROM {store.name(LINKS)} WHERE {among(linked)}")
    store.view("every_account", f"SELECT * FROM {store.name(ACCOUNTS)} WHERE {among(linked)}")
    return {
        game: {"links": int(told), "ignored_links": int(ignored)}
        for game, told, ignored in store.rows(sql("kept/ignored_links"))
    }


def drop(store: Store, games: Sequence[str]) -> None:
    """Drop all that is kept of games: their next run computes everything from silver."""
    for table in (GAMES, *TABLES, ACCOUNTS):
        store.delete(table, among(games))


def read(store: Store, games: Sequence[str]) -> dict[str, Game]:
    """Return what is kept of games."""
    columns = ", ".join(Game.__dataclass_fields__)
    found = store.rows(f"SELECT {columns} FROM {store.name(GAMES)} WHERE {among(games)}")
    return {row[0]: Game(*row) for row in found}


def write(store: Store, games: Iterable[Game]) -> None:
    """Put what is kept of games in the place of what was."""
    rows = [tuple(getattr(game, name) for name in Game.__dataclass_fields__) for game in games]
    if rows:
        columns = ", ".join(Game.__dataclass_fields__)
        store.replace(GAMES, among(str(row[0]) for row in rows), values(columns, rows))


def definition() -> str:
    """Return a name of what the SQL computes: comments and layout do not count."""
    text = " ".join(
        " ".join(re.sub(r"--.*", "", sql(name)).split())
        for name in (
            "gold/_views",
            *(f"gold/{table}" for table in GOLD),
            *(f"kept/{name}" for name in (*TABLES, *ALSO)),
        )
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sql(name: str) -> str:
    """Return a SQL file of the package, which EMR hands over as a zip."""
    return cast(bytes, pkgutil.get_data("batch_analytics", f"sql/{name}.sql")).decode()


def views(file: str = "gold/_views") -> Iterator[tuple[str, str]]:
    """Yield the name and the query of each view of a file, by default of those that gold tables read."""
    for statement in sql(file).split(";\n"):
        found = re.search(r"VIEW (\w+) AS\n(.*)", statement, re.DOTALL)
        if found:
            yield found[1], found[2]


def stamped(query: str, added_ms: int) -> str:
    """Return a query whose rows bear when they were added."""
    return f"SELECT added.*, CAST({added_ms} AS BIGINT) AS added_ms FROM (\n{query}\n) AS added"


def literal(value: object) -> str:
    """Return a value in SQL."""
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, int):
        return f"CAST({value} AS BIGINT)"
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def values(columns: str, rows: Iterable[Sequence[object]]) -> str:
    """Return a query of rows."""
    lines = ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in rows)
    return f"SELECT * FROM VALUES {lines} AS given ({columns})"


def among(games: Iterable[str]) -> str:
    """Return the predicate of games."""
    return f"game_id IN ({', '.join(map(literal, sorted(games)))})"


def either(conditions: Iterable[tuple[str, str]]) -> str:
    """Return the predicate that is true where the condition of the row's game is."""
    games: dict[str, list[str]] = {}
    for condition, game in conditions:
        games.setdefault(condition, []).append(game)
    return " OR ".join(f"({among(names)} AND {condition})" for condition, names in games.items()) or "FALSE"


def on(days: Mapping[str, Iterable[date] | None], column: str = "event_date") -> str:
    """Return the predicate of games on days (None: on all)."""
    return either(
        (f"{column} IN ({', '.join(map(literal, sorted(found)))})" if found is not None else "TRUE", game)
        for game, found in days.items()
        if found is None or found
    )


def span(first: date, last: date) -> Iterator[date]:
    """Yield the days from the first to the last."""
    while first <= last:
        yield first
        first += timedelta(1)
