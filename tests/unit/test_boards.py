"""Boards are defined by the studio and read over HTTP: what is asked for, else a problem."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from enriched_stream import leaderboards_of
from fake_aws import register
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from telemetry.boards import Board, Order, Period, Reset, fed_by
from telemetry.enrichment import timestamp
from tools import CommandError, boards

GAME = "skyforge"
TODAY = datetime.now(UTC).replace(hour=0, minute=5, second=0, microsecond=0)
PATH = f"/v1/games/{GAME}/leaderboards"
LIMIT = 2**53 - 1


def board(**fields: Any) -> Board:
    return Board(**{"game_id": GAME, "board_id": "x", "title": "X", "source": "x"} | fields)


# Definitions


@pytest.mark.parametrize(
    "fields",
    [
        {"board_id": "No Such"},
        {"source": "a#b"},
        {"title": ""},
        {"operator": "median"},
        {"order": "sideways"},
        {"reset": "hourly"},
        {"shards": 0},
        {"shards": 17},
        {"exact_rank_limit": 0},
        {"archive_days": 31},
        {"color": "red"},
        {"reset": "season"},
        {"season_dates": ["2026-03-01", "2026-04-01"]},
        {"season_days": 7},
        {"reset": "season", "season_days": 7},
        {"reset": "season", "season_dates": ["2026-03-01"]},
        {"reset": "season", "season_dates": ["2026-03-01", "2026-03-01"]},
        {"reset": "season", "season_dates": ["2026-04-01", "2026-03-01"]},
        {"reset": "season", "season_dates": ["2026-03-01", "2026-04-01"], "season_days": 7},
        {"reset": "season", "season_dates": ["2026-03-32", "2026-04-01"]},
    ],
    ids=str,
)
def test_what_cannot_be_a_board_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(CommandError, match="this cannot be a board"):
        boards.new_board(**{"game_id": GAME, "board_id": "x", "title": "X", "source": "x"} | fields)


def test_weeks_begin_on_monday_and_days_are_utc() -> None:
    sunday, monday = date(2026, 3, 8), date(2026, 3, 9)
    weekly = board(reset=Reset.WEEKLY)
    assert weekly.period(sunday) == Period(date(2026, 3, 2), monday)
    assert weekly.period(monday) == Period(monday, date(2026, 3, 16))
    assert board(reset=Reset.DAILY).period(sunday) == Period(sunday, monday)
    assert board().period(sunday) == board().period(monday) == Period()


def test_seasons_are_listed_or_follow_one_another() -> None:
    listed = board(reset=Reset.SEASON, season_dates=(date(2026, 1, 1), date(2026, 3, 1), date(2026, 4, 1)))
    assert listed.period(date(2025, 12, 31)) is None
    assert listed.period(date(2026, 2, 28)) == Period(date(2026, 1, 1), date(2026, 3, 1))
    assert listed.period(date(2026, 3, 1)) == Period(date(2026, 3, 1), date(2026, 4, 1))
    assert listed.period(date(2026, 4, 1)) is None
    lasting = board(reset=Reset.SEASON, season_dates=(date(2026, 1, 1),), season_days=30)
    assert lasting.period(date(2025, 12, 31)) is None
    assert lasting.period(date(2026, 1, 31)) == Period(date(2026, 1, 31), date(2026, 3, 2))


@given(
    st.sampled_from(
        [
            {"reset": Reset.DAILY},
            {"reset": Reset.WEEKLY},
            {"reset": Reset.SEASON, "season_dates": (date(2026, 1, 1), date(2026, 1, 2), date(2026, 2, 1))},
            {"reset": Reset.SEASON, "season_dates": (date(2026, 1, 1),), "season_days": 9},
        ]
    ),
    st.dates(date(2025, 12, 1), date(2026, 3, 1)),
)
def test_a_day_is_in_its_period_with_all_days_between(fields: dict[str, Any], day: date) -> None:
    period = board(**fields).period(day)
    if period:
        assert period.first <= day < period.end
        ends = (period.first, period.end - timedelta(days=1))
        assert [board(**fields).period(end) for end in ends] == [period, period]


def test_the_archive_goes_back_to_the_first_event_or_as_long_as_it_is_kept() -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    weekly = board(reset=Reset.WEEKLY, archive_days=70)
    names = [period.name for period in weekly.archive(now, None, 100)]
    assert (names[0], names[-1], len(names)) == ("2026-03-09", "2025-12-29", 11)
    assert [p.name for p in weekly.archive(now, date(2026, 3, 2), 2)] == ["2026-02-23", "2026-02-16"]
    young = board(reset=Reset.DAILY, created_on=date(2026, 3, 9))
    assert [p.name for p in young.archive(now, None, 100)][-1] == "2026-02-06"
    late_evening = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)
    assert young.archive(late_evening, None, 1)[0].name == "2026-03-11"
    season = board(reset=Reset.SEASON, season_dates=(date(2026, 2, 1), date(2026, 3, 1)))
    assert [p.name for p in season.archive(now, None, 100)] == ["2026-02-01"]
    assert board().archive(now, None, 100) == [Period()]


def test_a_score_feeds_its_default_board_unless_a_definition_has_taken_the_name() -> None:
    daily, taken = board(board_id="daily"), board(board_id="x", source="y")
    assert fed_by([], GAME, "x") == [Board.default(GAME, "x")]
    assert fed_by([daily], GAME, "x") == [daily, Board.default(GAME, "x")]
    assert fed_by([daily, taken], GAME, "x") == [daily]
    assert fed_by([daily, taken], GAME, "y") == [taken, Board.default(GAME, "y")]


def test_rules_and_periods_are_told_apart_by_the_key() -> None:
    day = date(2026, 3, 9)
    different = [
        board(),
        board(operator="set"),
        board(order="ascending"),
        board(shards=5),
        board(reset="daily"),
        board(reset="weekly"),
        board(board_id="y"),
        board(game_id="other"),
    ]
    roots = {of.partition(of.period(day) or Period(), "a").rpartition("#")[0] for of in different}
    assert len(roots) == len(different)
    same = board(title="Other", exact_rank_limit=7, archive_days=99, source="y", created_on=day)
    assert same.partition(Period(), "a") == board().partition(Period(), "a")


SCORES = st.integers(-LIMIT, LIMIT) | st.integers(-(10**23), 10**23) | st.integers(-2, 2)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2080, 1, 1)) | st.integers(0, 3).map(
    lambda n: datetime(2038, 1, 20) + timedelta(milliseconds=n)
)
NAMES = st.text("AZaz09_.:-", min_size=1, max_size=3)


@given(st.lists(st.tuples(SCORES, MOMENTS, NAMES), min_size=2, max_size=8), st.sampled_from(Order))
def test_rank_keys_sort_as_the_board_and_can_be_read_back(
    entries: list[tuple[int, datetime, str]], order: Order
) -> None:
    of = board(order=order)
    stamped = [(score, timestamp(moment.replace(tzinfo=UTC)), name) for score, moment, name in entries]
    sign = -1 if order is Order.DESCENDING else 1
    by_hand = sorted(stamped, key=lambda entry: (sign * entry[0], *entry[1:]))
    assert sorted(stamped, key=lambda entry: of.rank_key(*entry)) == by_hand
    for score, moment, name in stamped:
        found = of.standing(of.rank_key(score, moment, name))
        assert (found.score, found.achieved_at, found.player_id) == (score, moment, name)


# The command


@pytest.fixture
def table(dynamodb: Any) -> Any:
    return dynamodb.Table("boards")


@pytest.fixture
def command(dynamodb: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run scripts/boards; returns what it prints."""
    outputs = {"tables": {"boards": "boards", "games": "games"}}
    monkeypatch.setattr(boards.infrastructure, "outputs", lambda _: outputs)
    for game in (GAME, "other"):
        register(dynamodb, game)

    def call(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["scripts/boards", "--environment", "test", *arguments])
        boards.main()
        return capsys.readouterr().out

    return call


def test_a_board_is_defined_shown_listed_and_removed(command: Callable[..., str]) -> None:
    season = ("--reset", "season", "--season-dates", "2026-03-01,2026-04-01")
    command("add", GAME, "spring", "--source", "global", "--operator", "increment", *season)
    command("add", GAME, "best")
    command("add", "other", "best", "--order", "ascending", "--exact-rank-limit", "50", "--shards", "2")
    shown = json.loads(command("show", GAME, "spring"))
    assert (shown["title"], shown["source"], shown["operator"]) == ("spring", "global", "increment")
    assert shown["season_dates"] == ["2026-03-01", "2026-04-01"]
    assert shown["created_on"] == datetime.now(UTC).date().isoformat()
    listed = [line.split()[0] for line in command("list", GAME).splitlines()[1:]]
    assert listed == ["best", "spring"]
    command("remove", GAME, "best")
    assert "best" not in command("list", GAME)
    assert json.loads(command("show", "other", "best"))["exact_rank_limit"] == 50


def test_the_command_tells_what_is_wrong(command: Callable[..., str], table: Any) -> None:
    command("add", GAME, "best")
    with pytest.raises(CommandError, match="best is defined already"):
        command("add", GAME, "best", "--order", "ascending")
    for verb in ("show", "remove"):
        with pytest.raises(CommandError, match="nobodys is not defined"):
            command(verb, GAME, "nobodys")
    with pytest.raises(CommandError, match="season_dates"):
        command("add", GAME, "spring", "--reset", "season")


def test_a_game_that_is_not_registered_gets_no_board(command: Callable[..., str], table: Any) -> None:
    with pytest.raises(CommandError, match="nosuch-game is not registered"):
        command("add", "nosuch-game", "best")
    assert table.scan()["Items"] == []


def test_a_game_has_a_hundred_boards_at_most_and_one_answer_holds_them(
    table: Any, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "MAX_BOARDS", 2)
    dates = tuple(date(2026, 1, 1) + timedelta(days=n) for n in range(200))
    largest = {"title": "t" * 100, "source": "s" * 64, "reset": "season", "season_dates": dates}
    for number in range(2):
        boards.add_board(table, board(board_id=f"{number}" * 64, **largest))
    with pytest.raises(CommandError, match="has 2 boards"):
        boards.add_board(table, board())
    assert 100 * len(json.dumps(board(**largest).to_item())) < 2**20


def test_scores_of_a_name_feed_four_defined_boards_at_most(table: Any) -> None:
    for number in range(4):
        boards.add_board(table, board(board_id=f"b-{number}"))
    with pytest.raises(CommandError, match="scores for x feed 4 boards"):
        boards.add_board(table, board(board_id="b-4"))
    boards.add_board(table, board(board_id="b-4", source="y"))
    boards.remove_board(table, GAME, "b-0")
    boards.add_board(table, board(board_id="b-5"))


# The API


@pytest.fixture
def api(metrics_app: Any, dynamodb: Any) -> TestClient:
    dynamodb.Table("games").put_item(Item={"game_id": GAME, "status": "active", "key_hashes": []})
    return TestClient(metrics_app, raise_server_exceptions=False)


@pytest.fixture
def submit(dynamodb: Any) -> Callable[..., None]:
    """Write scores of players for a name, by default of today."""

    def write(name: str, scores: dict[str, int], days: int = 0) -> None:
        events = [
            {
                "event_id": str(uuid4()),
                "event_type": "score_submitted",
                "game_id": GAME,
                "player_id": player_id,
                "corrected_time": timestamp(TODAY + timedelta(days=days, seconds=n)),
                "received_at": timestamp(TODAY + timedelta(days=days, seconds=n)),
                "payload": {"leaderboard": name, "score": points},
            }
            for n, (player_id, points) in enumerate(scores.items())
        ]
        client = boto3.client("dynamodb")
        assert leaderboards_of(client).submit(events) == []

    return write


def places(body: dict[str, Any]) -> list[tuple[int, str, int]]:
    return [(entry["rank"], entry["player_id"], entry["score"]) for entry in body["entries"]]


def test_pages_follow_one_another_to_the_last(api: TestClient, submit: Callable[..., None]) -> None:
    submit("global", {f"p-{n}": n for n in range(25)})
    found, query = [], "limit=10"
    pages = 0
    while query:
        body = api.get(f"{PATH}/global?{query}").json()
        found += places(body)
        pages += 1
        query = f"limit=10&cursor={body['next_cursor']}" if body["next_cursor"] else ""
    assert (pages, found) == (3, [(n + 1, f"p-{24 - n}", 24 - n) for n in range(25)])
    assert body["period"] == {"name": "all", "from": None, "to": None}


def test_a_players_place_those_around_and_friends(api: TestClient, submit: Callable[..., None]) -> None:
    submit("global", {f"p-{n}": n for n in range(9)})
    place = api.get(f"{PATH}/global/players/p-5").json()
    assert (places(place), place["exact"], place["rank_error"]) == ([(4, "p-5", 5)], True, 0)
    assert place["entries"][0]["achieved_at"] == timestamp(TODAY + timedelta(seconds=5))
    around = api.get(f"{PATH}/global/players/p-5/around?limit=3").json()
    assert places(around) == [(3, "p-6", 6), (4, "p-5", 5), (5, "p-4", 4)]
    last = api.get(f"{PATH}/global/players/p-0/around?limit=3").json()
    assert places(last) == [(7, "p-2", 2), (8, "p-1", 1), (9, "p-0", 0)]
    assert len(api.get(f"{PATH}/global/players/p-0/around").json()["entries"]) == 9
    friends = api.get(f"{PATH}/global/friends?player_ids=p-2,nobody,p-7,p-2").json()
    assert places(friends) == [(1, "p-7", 7), (2, "p-2", 2)]


def test_a_rank_beyond_the_limit_is_told_to_be_an_estimate(
    api: TestClient, table: Any, submit: Callable[..., None]
) -> None:
    boards.add_board(table, boards.new_board(**board(exact_rank_limit=3).model_dump(exclude={"created_on"})))
    submit("x", {f"p-{n}": n for n in range(9)})
    body = api.get(f"{PATH}/x/players/p-6").json()
    assert (body["entries"][0]["rank"], body["exact"], body["rank_error"]) == (3, True, 0)
    body = api.get(f"{PATH}/x/players/p-5/around?limit=9").json()
    assert body["exact"] is False
    assert body["rank_error"] > 0
    assert [entry["player_id"] for entry in body["entries"]] == [f"p-{n}" for n in range(8, -1, -1)]


def test_periods_are_read_by_any_of_their_days(
    api: TestClient, table: Any, submit: Callable[..., None]
) -> None:
    daily = boards.new_board(game_id=GAME, board_id="daily", title="Of the day", source="x", reset="daily")
    boards.add_board(table, daily)
    submit("x", {"a": 1})
    submit("x", {"b": 2}, days=-1)
    yesterday = (TODAY - timedelta(days=1)).date()
    assert places(api.get(f"{PATH}/daily").json()) == [(1, "a", 1)]
    body = api.get(f"{PATH}/daily?period={yesterday}").json()
    assert (places(body), body["period"]["to"]) == ([(1, "b", 2)], str(yesterday))
    assert places(api.get(f"{PATH}/daily/players/b?period={yesterday}").json()) == [(1, "b", 2)]
    assert api.get(f"{PATH}/daily/players/b").status_code == 404
    assert places(api.get(f"{PATH}/x").json()) == [(1, "b", 2), (2, "a", 1)]
    body = api.get(f"{PATH}/daily?period={yesterday - timedelta(days=1)}").json()
    assert (body["entries"], body["next_cursor"]) == ([], None)
    listed = api.get(f"{PATH}/daily/periods?limit=3&before={yesterday}").json()["periods"]
    assert [period["name"] for period in listed] == [str(yesterday - timedelta(days=n)) for n in (1, 2, 3)]
    assert api.get(f"{PATH}/x/periods").json()["periods"] == [{"name": "all", "from": None, "to": None}]
    (listed,) = api.get(PATH).json()["boards"]
    assert (listed["board_id"], listed["title"], listed["reset"]) == ("daily", "Of the day", "daily")


def test_between_seasons_a_board_has_an_archive_but_no_entries(api: TestClient, table: Any) -> None:
    dates = (TODAY.date() - timedelta(days=20), TODAY.date() - timedelta(days=10))
    fields = {"game_id": GAME, "board_id": "x", "title": "X", "source": "x", "reset": "season"}
    boards.add_board(table, boards.new_board(**fields, season_dates=dates))
    assert api.get(f"{PATH}/x").status_code == 404
    assert api.get(f"{PATH}/x?period={dates[0]}").json()["entries"] == []
    assert [period["name"] for period in api.get(f"{PATH}/x/periods").json()["periods"]] == [str(dates[0])]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/none", 404),
        ("/none/players/p-1", 404),
        ("/none/players/p-1/around", 404),
        ("/None", 422),
        ("/global?cursor=guess", 422),
        ("/global?cursor=MSAj", 422),
        ("/global?cursor=%C3%A9", 422),
        ("/global?period=2999-01-01", 422),
        ("/global?period=9999-12-31", 422),
        ("/global?period=yesterday", 422),
        ("/global/friends", 422),
        ("/global/friends?player_ids=", 422),
        ("/global/friends?player_ids=a,b%23", 422),
        ("/global/friends?player_ids=" + ",".join("ab" for _ in range(101)), 422),
        ("/global/players/p-1/around?limit=0", 422),
        ("/global/players/p%23", 422),
        ("/global/periods?before=today", 422),
    ],
)
def test_bad_questions_get_a_problem(api: TestClient, path: str, status: int) -> None:
    answer = api.get(PATH + path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_boards_of_a_game_that_is_not_registered_are_not_found(api: TestClient) -> None:
    for path in ("", "/global", "/global/periods", "/global/friends?player_ids=a", "/global/players/a"):
        assert api.get(f"/v1/games/nobodys/leaderboards{path}").status_code == 404
