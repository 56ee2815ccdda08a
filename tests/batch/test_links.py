"""A guest and its account are one player in gold, whenever and in whatever order the link comes."""

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import duckdb_gold
import plain_gold
import pytest
from batch_analytics import kept
from batch_analytics.kept import PAYLOAD
from duckdb_nights import SILVER
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from night_lake import Lake
from nights import DAY_MS, START, Event, World, by_arrival, identified, make_mistake

ALL = "platform = '*' AND country = '*' AND app_version = '*'"
LINKED = "lake.kept_accounts WHERE player_id <> account_id"
# A game whose kept tables have a floor: the days of a player who keeps playing.
KEEPER = range(1, 190, 7)


class Play:
    """A lake, and a way to say what happened in a few words."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.world, self.lake = World(1, 1), Lake()

    def begin(self, *events: Event) -> None:
        """Do a first night, with a player who keeps playing, so that the kept tables have a floor."""
        self.run(*events, *(self.did("keeper", day) for day in KEEPER))

    def did(
        self, player: str, day: int, kind: str = "session_start", ms: int = 0, late: int = 0, **fields: Any
    ) -> Event:
        """Return an event of a player, by default at midnight of a day, in the session of that day."""
        event = self.world._event("g", player, f"s-{day}", day * DAY_MS + ms) | dict.fromkeys(PAYLOAD)
        place = {"platform": "ios", "country": "DE", "app_version": "1.0"}
        arrived = {"arrival_date": START + timedelta(day + late), "event_type": kind, "verified": True}
        return event | place | arrived | fields

    def link(self, guest: str, account: str, day: int, ms: int = 60_000, **fields: Any) -> Event:
        """Return the event that says that a guest is an account."""
        return self.did(account, day, "identify", ms, previous_player_id=guest, **fields)

    def paid(self, player: str, day: int, amount: int, **fields: Any) -> Event:
        """Return a purchase."""
        sale = {"store": "web", "transaction_id": f"t-{player}-{day}", "currency": "EUR", "sandbox": False}
        return self.did(player, day, "purchase", 1, **sale, amount_minor=amount, **fields)

    def run(self, *events: Event) -> None:
        """Do a night; gold must be right after it."""
        self.lake.run(events)
        assert self.lake.differing() == []

    def accounts(self) -> dict[str, str]:
        """Return which id counts to which other one."""
        return dict(self.lake.store.rows(f"SELECT player_id, account_id FROM {LINKED}"))

    def counted(self) -> tuple[int, int]:
        """Return how many pairs are linked, and how many of them count for nothing."""
        found = kept.links(self.lake.store, kept.read(self.lake.store, ["g"])).get(
            "g", {"links": 0, "ignored_links": 0}
        )
        return found["links"], found["ignored_links"]

    def new_players(self) -> dict[int, int]:
        """Return the new players of each day that has some, but for the keeper's."""
        rows = self.lake.store.rows(f"SELECT event_date, new_players FROM lake.daily WHERE {ALL}")
        return {(day - START).days: count for day, count in rows if count and day != START + timedelta(1)}


def registered() -> Lake:
    """Return a lake with a guest of long ago who becomes an account, which a later night tells."""
    play = Play()
    play.begin(
        *(play.did("guest", day) for day in (20, 21, 60, 130, 180)),
        play.paid("guest", 21, 100),
        play.did("guest", 21, "tutorial_step", 5, step=1, status="start"),
        play.did("guest", 21, "experiment_exposure", 6, experiment="gate", variant="a"),
    )
    # The session goes on over midnight and the change of ids; the account repeats step and exposure.
    late = DAY_MS - 600_000
    play.run(
        play.did("guest", 190, "session_start", late),
        play.did("account", 191, "session_start", 600_000, session_id="s-190"),
        play.did("account", 191, "tutorial_step", 700_000, session_id="s-190", step=1, status="start"),
        play.did("account", 191, "experiment_exposure", 2, experiment="gate", variant="b"),
        play.paid("account", 191, 50),
    )
    assert play.new_players() == {20: 1, 191: 1}
    play.run(play.link("guest", "account", 191, late=1), play.did("guest", 192))
    assert play.new_players() == {20: 1}
    assert play.accounts() == {"guest": "account"}
    assert play.counted() == (1, 0)
    play.run(play.did("guest", 193), play.did("account", 193), play.paid("guest", 193, 7))
    assert play.lake.said == []
    return play.lake


def another_device() -> Lake:
    """Return a lake with an account of long ago that logs in on a device where a guest has played."""
    play = Play()
    play.begin(*(play.did("account", day) for day in (100, 180)), play.paid("account", 180, 100))
    play.run(
        *(play.did("account", day) for day in (189, 190)),
        *(play.did("device", day, ms=5, platform="web") for day in (188, 189, 190)),
        *(play.did("device", 190, "ad_impression", network="n", placement="p", format="banner"), ),
        play.paid("device", 188, 20),
    )  # fmt: skip
    assert play.new_players() == {100: 1, 188: 1}
    play.run(play.link("device", "account", 190))
    assert play.new_players() == {100: 1}
    assert play.lake.said == []
    return play.lake


def disputed() -> Lake:
    """Return a lake with links that count for nothing, and one that another takes the place of."""
    play = Play()
    play.begin(
        *(
            play.did(*one)
            for one in (("old", 150), ("older", 158), ("young", 159), ("first", 100), ("second", 161))
        )
    )
    # A guest of two accounts: the first link counts, and that by time, not by arrival.
    play.run(play.did("guest", 188), play.did("b", 189), play.link("guest", "b", 190, 90_000))
    assert play.accounts() == {"guest": "b"}
    play.run(play.link("guest", "a", 190, 60_000))
    assert play.accounts() == {"guest": "a"}
    assert len(play.lake.said) == 1
    assert "ids that counted as one player no longer do" in play.lake.said[0]
    play.run(play.link("guest", "c", 191))
    assert (play.accounts(), play.counted()) == ({"guest": "a"}, (3, 2))
    # A link with itself; two players of old, on either side, whose link begins to count for nothing by a day.
    play.run(play.link("x", "x", 190), play.link("old", "older", 189))
    play.run(play.link("young", "older", 189), play.link("x", "y", 191))
    assert play.accounts() == {"guest": "a", "young": "older", "x": "y"}
    # An account that took an old guest when it was new is old from then on.
    play.run(play.link("first", "twice", 192))
    play.run(play.link("second", "twice", 192, 61_000), play.did("third", 192))
    play.run(play.link("third", "twice", 192, 62_000))
    assert play.accounts() == {
        "guest": "a", "young": "older", "x": "y", "first": "twice", "third": "twice",
    }  # fmt: skip
    assert len(play.lake.said) == 1
    return play.lake


def test_the_saved_query_tells_guests_and_accounts_by_day() -> None:
    """The days are worked out by hand from what happened in the lake, not from its tables."""
    path = Path(__file__).parents[2] / "infrastructure/modules/lake_tables/queries/links.sql"
    sql = path.read_text().replace("kept_", "lake.kept_").replace("current_date", f"DATE '{START}'")
    rows = disputed().store.rows(sql.replace("game_id = ?", "game_id = 'g'"))
    assert [((day - START).days, *counts) for day, *counts in rows] == [
        # Links, guests, accounts, ignored links.
        (192, 3, 2, 1, 1), (191, 2, 1, 1, 1), (190, 2, 1, 1, 1), (189, 2, 1, 1, 1),
    ]  # fmt: skip


def chained() -> Lake:
    """Return a lake with chains in both orders, one that grows too long, and a circle."""
    play = Play()
    play.begin()
    play.run(*(play.did(player, 190) for player in ("p", "q", "r", "s", "t", "x", "y", "z")))
    play.run(play.link("q", "r", 190, 2), play.link("p", "q", 190, 3))
    assert play.accounts() == {"p": "r", "q": "r"}
    play.run(play.link("r", "s", 191))
    assert play.accounts() == {"p": "s", "q": "s", "r": "s"}
    assert play.lake.said == []
    play.run(play.link("s", "t", 192))
    assert play.accounts() == {"q": "t", "r": "t", "s": "t"}
    play.run(play.link("x", "y", 192), play.link("y", "z", 192))
    play.run(play.link("z", "x", 193), play.did("x", 193))
    assert play.accounts() == {"q": "t", "r": "t", "s": "t"}
    assert play.counted() == (7, 4)
    return play.lake


def crowded() -> Lake:
    """Return a lake with an account that takes more guests than one may."""
    play = Play()
    play.begin()
    play.run(*(play.did(f"guest-{number:03}", 190) for number in range(102)))
    play.run(*(play.link(f"guest-{number:03}", "all", 190, number) for number in range(1, 102)))
    assert (len(play.accounts()), play.counted()) == (100, (101, 1))
    assert "guest-101" not in play.accounts()
    assert play.lake.said == []
    return play.lake


def repeated() -> Lake:
    """Return a lake with links that come again, late, before either id is known, and twice a night."""
    play = Play()
    play.begin()
    play.run(play.link("guest", "account", 189), play.link("guest", "account", 190))
    play.run(play.did("guest", 188, late=3), play.link("guest", "account", 188, late=3))
    play.run(play.link("guest", "account", 191))
    play.run(play.did("guest", 170, late=22), play.did("account", 192))
    assert play.accounts() == {"guest": "account"}
    assert play.new_players() == {170: 1}
    assert len(play.lake.store.rows("SELECT 1 FROM lake.kept_links")) == 2
    assert play.counted() == (1, 0)
    return play.lake


PLAYS = [registered, another_device, disputed, chained, crowded, repeated]


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.__name__)
def test_a_link_counts_from_the_night_that_sees_it(play: Callable[[], Lake]) -> None:
    assert play().differing() == []


def test_one_player_has_the_guests_first_day_money_steps_and_variant() -> None:
    store = registered().store
    day = lambda number: f"DATE '{START + timedelta(number)}'"  # noqa: E731
    ((players, value),) = store.rows(
        "SELECT cohort_players, lifetime_gross_minor FROM lake.lifetime_value "
        f"WHERE cohort_date = {day(20)} AND day_number = 90 AND {ALL}"
    )
    assert (players, value) == (1, 100)
    assert store.rows(f"SELECT event_date FROM lake.tutorial WHERE {ALL}") == [(START + timedelta(21),)]
    exposed = store.rows("SELECT DISTINCT exposure_date, variant FROM lake.experiments")
    assert exposed == [(START + timedelta(21), "a")]
    # The session of guest and account began before midnight, and is one.
    ((sessions, seconds),) = store.rows(
        f"SELECT sessions, playtime_seconds FROM lake.daily WHERE event_date = {day(190)} AND {ALL}"
    )
    assert (sessions, seconds) == (1, 1300.0)


# What makes a link wrong: where it shows, a file, what it says, and a mistake in its place.
MISTAKES = [
    (disputed, "kept/_links", "f.nth_link = 1", "TRUE"),
    (disputed, "kept/_links", "DATE_SUB(event_date, 30)", "DATE_SUB(event_date, 31)"),
    (disputed, "kept/_links", "DATE_SUB(event_date, 30)", "DATE_SUB(event_date, 29)"),
    (disputed, "kept/_links", "GREATEST(guest_date, account_date)", "guest_date"),
    (registered, "kept/_links", "GREATEST(guest_date, account_date)", "guest_date"),
    (another_device, "kept/_links", "GREATEST(guest_date, account_date)", "account_date"),
    (disputed, "kept/_links", "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING", ""),
    (disputed, "kept/_links", "COALESCE(MIN(p.first_date)", "COALESCE(MAX(f.event_date)"),
    (disputed, "kept/_links", "< MAX(account_id)", "> MAX(account_id)"),
    (disputed, "kept/kept_links", "AND previous_player_id <> player_id", ""),
    (crowded, "kept/_links", "nth_guest <= 100", "TRUE"),
    (chained, "kept/_links", "WHERE d.player_id IS NULL", ""),
    (chained, "kept/_links", "COALESCE(c.account_id, b.account_id, ", "COALESCE(b.account_id, "),
    (registered, "kept/_links", "> 1 AS moved", "> 9 AS moved"),
    (another_device, "kept/_links", "> 1 AS moved", "> 9 AS moved"),
    (another_device, "kept/_links", "ORDER BY group_date, shown_id", "ORDER BY group_date DESC, shown_id"),
    (repeated, "kept/kept_links", "o.at_ms < n.at_ms", "FALSE"),
    (disputed, "kept/ignored_links", "THEN 0 ELSE 1", "THEN 1 ELSE 0"),
]


@pytest.mark.parametrize(("play", "file", "right", "wrong"), MISTAKES)
def test_a_mistake_is_found(
    play: Callable[[], Lake], file: str, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_mistake(monkeypatch, file, right, wrong)
    with pytest.raises(AssertionError):
        assert play().differing() == []


@pytest.mark.parametrize(
    ("table", "wrong"), [("kept_steps", "tutorial: gold has"), ("kept_exposures", "experiment")]
)
def test_what_a_guest_did_long_ago_is_read(table: str, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = kept.Night._of_accounts

    def recent(night: kept.Night, name: str, where: str, moved: bool = False, older: str = "") -> str:
        return read(night, name, where, moved, "" if name == table else older)

    monkeypatch.setattr(kept.Night, "_of_accounts", recent)
    with pytest.raises(AssertionError, match=wrong):
        registered()


def test_games_without_links_have_the_queries_that_they_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each query of Spark has a fixed price, which is most of what a small night costs."""
    play = Play()
    play.begin()
    touched: list[str] = []
    for verb in ("rows", "view", "append", "delete"):
        ask = getattr(play.lake.store, verb)
        monkeypatch.setattr(
            play.lake.store, verb, lambda *given, ask=ask: touched.append(" ".join(given)) or ask(*given)
        )
    play.lake.run([play.did("p", 190)])
    assert kept.links(play.lake.store, kept.read(play.lake.store, ["g"])) == {}
    assert not [text for text in touched if "_links" in text or "accounts" in text]
    # Once a game has a link, all of this is there.
    play.lake.run([play.link("p", "q", 190)])
    assert [text for text in touched if text.startswith("kept_accounts")]


def nights(seed: int, days: int, step: int, strangers: bool) -> Lake:
    """Return a lake after nights over a world whose players become accounts."""
    arrived = by_arrival(identified(World(seed, days).events, seed, strangers), days)
    lake, first = Lake(), days * 3 // 4
    lake.run([event for day in arrived[:first] for event in day])
    for last in range(first, days, step):
        lake.run([event for day in arrived[last : last + step] for event in day])
    return lake


def test_nights_go_on_from_what_is_kept() -> None:
    lake = nights(3, 150, 4, strangers=False)
    assert lake.differing() == []
    assert lake.said == [], "no night had to compute everything again"
    assert len(lake.store.rows(f"SELECT 1 FROM {LINKED}")) > 5


def troubled(seed: int) -> Lake:
    """Return a lake after nights that are withheld, repeated, that die and that lose an erased player."""
    chance, lake = random.Random(seed), Lake()
    days = by_arrival(identified(World(seed, 120).events, seed, strangers=True), 152)
    first = chance.randrange(20, 90)
    lake.run([event for day in days[:first] for event in day])
    withheld: list[Event] = []
    while first < len(days):
        last = min(first + chance.choice((2, 5, 9)), len(days))
        arrived = [event for day in days[first:last] for event in day]
        first = last
        match chance.choice(("fine", "fine", "twice", "died", "refused", "withheld", "backfill", "erased")):
            case "withheld":
                withheld += arrived
                continue
            case "twice":
                lake.run(arrived)
            case "backfill":
                lake.run(withheld)
                withheld = []
            case "erased":
                lake.erase(chance.choice("gk"), f"{chance.choice(('p', 'a-p'))}-{chance.randrange(5)}")
            case "died" | "refused" as what:
                games, tables = lake.add(arrived), len(kept.GOLD)
                if games:
                    lake.gold(games, chance.randrange(tables) if what == "died" else tables)
                arrived = arrived[:1]
        lake.run(arrived)
    lake.run([*withheld, *lake.silver.values()])
    return lake


@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1_000_000))
def test_months_of_troubled_nights(seed: int) -> None:
    assert troubled(seed).differing() == []


def tangled(seed: int) -> list[Event]:
    """Return events of few players with many links among them: chains, circles, disputes."""
    chance, play, events = random.Random(seed), World(seed, 1), []
    ids = [f"p-{number}" for number in range(9)]
    for number in range(60):
        day, player = chance.randrange(80), chance.choice(ids)
        made = play._event("g", player, f"s-{number}", day * DAY_MS + chance.randrange(3))
        linked = {"event_type": "identify", "previous_player_id": chance.choice(ids)}
        events.append(made | dict.fromkeys(PAYLOAD) | chance.choice(({"event_type": "crash"}, linked)))
    return events


def by_sql(events: Sequence[Event]) -> set[tuple[str, str]]:
    """Return the accounts that the job finds in one run."""
    lake = Lake()
    lake.run(events)
    return {*lake.store.rows(f"SELECT player_id, account_id FROM {LINKED}")}


def by_recursion(events: Iterable[Event]) -> set[tuple[str, str]]:
    """Return the accounts by DuckDB's recursion."""
    database = duckdb.connect(config={"threads": 1})
    database.execute(f"CREATE TABLE sent ({SILVER})")
    for event in events:
        marks = ", ".join("?" * len(event))
        database.execute(f"INSERT INTO sent ({', '.join(event)}) VALUES ({marks})", list(event.values()))
    return {*database.execute(f"SELECT guest, account FROM ({duckdb_gold.ACCOUNTS})").fetchall()}


def by_hand(events: Sequence[Event]) -> set[tuple[str, str]]:
    """Return the accounts that plain Python finds."""
    account_of = plain_gold.accounts(sorted(events, key=lambda event: (event["at_ms"], event["event_id"])))
    ends = {(guest, plain_gold._end(guest, account_of)) for guest in account_of}
    return {(guest, account) for guest, account in ends if guest != account}


def test_three_ways_to_find_accounts_agree_on_tangles() -> None:
    found = [(by_sql(events), by_recursion(events), by_hand(events)) for events in map(tangled, range(12))]
    assert [one for one in found if not one[0] == one[1] == one[2]] == []
    assert sum(len(one[0]) for one in found) > 12
