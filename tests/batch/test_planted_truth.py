"""What a simulated game was made to do, and what a shop's customers did, come back out of the lake."""

import json
import math
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from emulated_lake import Event, Lake, Spark, event
from telemetry import metric_model
from telemetry.dimensions import Declared
from telemetry.enrichment import enrich
from telemetry.origin import Origin
from tools import gold, history
from tools.simulation import DIMENSIONS, PAYER_SHARE, STEP_SHARES, Game, Session, Truth, return_share

PLAYERS, DAYS = 1200, 30
PUBLIC_DATA_SHA256 = "261e3dc89977c2b60767ca6728aaa29d429de0c814635070a749c36555895da8"
NOW = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
ALL = dict.fromkeys(metric_model.PLACES, "*")
DECLARED = Declared.of({"dimensions": DIMENSIONS})


@pytest.fixture(scope="module")
def played(spark: Spark) -> tuple[Lake, Truth]:
    """Play 30 UTC days up to midnight, and compute their history."""
    lake = spark.lake("planted")
    sessions, truth = Game("planted", PLAYERS, DAYS, 1, NOW).play()
    lake.arrive(f"{NOW:%Y-%m-%dT%H}", list(_valid(sessions)))
    assert spark.drive(_all(lake, NOW)) == [0]
    assert len(truth.guests) > PLAYERS / 10
    return lake, truth.merged()


def _valid(sessions: list[Session]) -> Iterator[Event]:
    """Yield the game's valid events as the processor would write them, those sent twice twice."""
    for letter in (letter for session in sessions for letter in session.letters):
        if letter.reason in (None, "duplicate"):
            yield enrich(json.loads(letter.encode(NOW)), Origin(NOW, "stream"), DECLARED)


def _all(lake: Lake, hour: datetime) -> list[str]:
    return lake.steps("all", "r", f"{hour:%Y-%m-%dT%H}", f"{hour + timedelta(hours=1):%Y-%m-%dT%H}")


def test_the_lake_tells_what_was_sent(played: tuple[Lake, Truth]) -> None:
    lake, truth = played
    tables = {"games": "games", "game_days": "game_days"}
    gold.use({"lake_database": lake.database, "tables": tables}, local=True)
    assert history.figures("planted", truth.costs) == history.expected_figures(truth, NOW.date())


def test_guests_and_their_accounts_are_counted_as_linked(played: tuple[Lake, Truth]) -> None:
    lake, truth = played
    counted = lake.report("r", "audit")["games"]["planted"]
    assert (counted["links"], counted["ignored_links"]) == (len(truth.guests), 0)
    found = {(row["account_id"], row["player_id"]) for row in lake.table("kept_accounts")}
    assert found == {*truth.guests.items(), *((account, account) for account in truth.guests)}


def test_nothing_is_missing_or_out_of_range_in_what_a_game_sends(played: tuple[Lake, Truth]) -> None:
    measured = played[0].report("r", "audit")["games"]["planted"]
    assert (measured["nulls"], measured["ranges"]) == ({}, {})
    numbers: dict[str, set[int]] = {}
    for sent in played[0].table("events"):
        numbers.setdefault(sent["session_id"], set()).add(sent["sequence"])
    gapped = sum(max(found) - min(found) + 1 > len(found) for found in numbers.values())
    assert (measured["sequences"], measured["gapped"]) == (len(numbers), gapped)


def test_the_audit_tells_days_as_the_stream_counts_them(played: tuple[Lake, Truth]) -> None:
    lake, truth = played
    told = lake.report("r", "audit")["games"]["planted"]["days"]
    players = {day: figures["active_players"] for day, figures in told.items()}
    assert players == {day: len(found) for day, found in truth.players_by_day.items()}
    assert sum(figures["new_players"] for figures in told.values()) == len(
        set().union(*truth.players_by_day.values())
    )
    revenue = Counter[str]()
    for figures in told.values():
        revenue.update({name: n for name, n in figures.items() if name.startswith("revenue_")})
    assert revenue == {f"revenue_{currency}": minor for currency, minor in truth.revenue.items()}
    for name in ("ad_impression", "design"):
        counted = sum(figures.get(f"events_{name}", 0) for figures in told.values())
        assert counted == truth.events_by_type[name] > 0


def test_every_cohort_and_every_day_number(played: tuple[Lake, Truth]) -> None:
    lake, truth = played
    found = {
        (str(row["cohort_date"]), row["day_number"]): (
            row["cohort_players"], row["retained_players"], row["rolling_players"],
        )
        for row in _total(lake, "retention")
    }  # fmt: skip
    assert found == dict(_retention(truth.players_by_day))
    assert len(found) > 400


def test_active_players_of_a_day_a_week_and_a_month(played: tuple[Lake, Truth]) -> None:
    lake, truth = played
    active = {date.fromisoformat(day): players for day, players in truth.players_by_day.items()}
    within = lambda day, span: set().union(*(active.get(day - timedelta(n), set()) for n in range(span)))  # noqa: E731
    found = {
        row["event_date"]: tuple(row[f"{name}active_players"] for name in ("", "weekly_", "monthly_"))
        for row in _total(lake, "daily")
    }
    assert found == {day: tuple(len(within(day, span)) for span in (1, 7, 30)) for day in active}


def test_the_planted_retention_curve_is_recovered(played: tuple[Lake, Truth]) -> None:
    players, returned = Counter[int](), Counter[int]()
    for row in _total(played[0], "retention"):
        players[row["day_number"]] += row["cohort_players"]
        returned[row["day_number"]] += row["retained_players"]
    for number in range(1, 25):
        share = return_share(number)
        error = (share * (1 - share) / players[number]) ** 0.5
        assert returned[number] / players[number] == pytest.approx(share, abs=4 * error), f"day {number}"


def test_the_planted_churn_is_recovered(played: tuple[Lake, Truth]) -> None:
    rows = _total(played[0], "retention")
    last = dict(sorted((row["cohort_date"], row["day_number"]) for row in rows))
    for number in (1, 3, 7, 14):
        left, known, variance = 0, 0.0, 0.0
        for row in (row for row in rows if row["day_number"] == number):
            days = range(number, last[row["cohort_date"]] + 1)
            share = math.prod(1 - return_share(day) for day in days)
            left += row["cohort_players"] - row["rolling_players"]
            known += row["cohort_players"] * share
            variance += row["cohort_players"] * share * (1 - share)
        assert left == pytest.approx(known, abs=4 * variance**0.5), f"not back on day {number} or later"


def test_the_planted_share_of_payers_is_recovered(played: tuple[Lake, Truth]) -> None:
    payers = sum(row["first_time_payers"] for row in _total(played[0], "daily"))
    new = sum(row["new_players"] for row in _total(played[0], "daily"))
    assert new == PLAYERS
    # Half of a payer's sessions have a purchase: not all payers have paid by the last day.
    assert 0.4 * PAYER_SHARE < payers / new < 1.3 * PAYER_SHARE


def test_the_planted_tutorial_is_recovered(played: tuple[Lake, Truth]) -> None:
    reached, completed = Counter[int](), Counter[int]()
    for row in _total(played[0], "tutorial"):
        reached[row["step"]] += row["reached_players"]
        completed[row["step"]] += row["completed_players"]
    assert reached[1] == PLAYERS
    for step, share in enumerate(STEP_SHARES, start=1):
        error = (share * (1 - share) / reached[step]) ** 0.5
        assert completed[step] / reached[step] == pytest.approx(share, abs=4 * error), f"step {step}"


def test_the_planted_costs_have_the_return_that_their_players_brought(played: tuple[Lake, Truth]) -> None:
    """The figures are those of the truth above; here is whether that truth says anything."""
    _, truth = played
    returned = truth.returned(NOW.date())
    assert set(returned) == {
        *(f"north USD {name}" for name in ("players", "D0", "D7")),
        *(f"south EUR {name}" for name in ("players", "D0", "D7")),
    }
    assert returned["north USD players"] > returned["south EUR players"] > PLAYERS / 10
    assert 0 < returned["north USD D0"] < returned["north USD D7"]
    assert any(micros < 0 for *_, micros in truth.earned)


def _total(lake: Lake, table: str) -> list[dict[str, Any]]:
    return [
        row
        for row in lake.table(table)
        if all(row[name] == value for name, value in ALL.items() if name in row)
    ]


def _retention(players_by_day: dict[str, set[str]]) -> Iterator[tuple[tuple[str, int], tuple[int, int, int]]]:
    """Yield (cohort date, day number) and the cohort's players, those back on the day, on it or later."""
    days = sorted(players_by_day)
    installs: dict[str, str] = {}
    for day in days:
        for player in players_by_day[day]:
            installs.setdefault(player, day)
    for cohort in sorted(set(installs.values())):
        players = {player for player, day in installs.items() if day == cohort}
        first = date.fromisoformat(cohort)
        for number in range((NOW.date() - first).days):
            on = [players & players_by_day[day] for day in days if day >= str(first + timedelta(number))]
            exact = players & players_by_day.get(str(first + timedelta(number)), set())
            yield (cohort, number), (len(players), len(exact), len(set().union(*on)))


@pytest.fixture(scope="module")
def shop(spark: Spark, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Put the purchases of CDNOW's customers of early 1997 into a lake (P. Fader, B. Hardie)."""
    directory = tmp_path_factory.mktemp("public")
    wanted = directory / "wanted.txt"
    wanted.write_text(f"Lifetimes==0.11.3 --hash=sha256:{PUBLIC_DATA_SHA256}\n")
    pip = [sys.executable, "-m", "pip", "download", "--require-hashes", "-qq", "--no-deps"]
    command = [*pip, "--requirement", str(wanted), "--dest", str(directory)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("the public data set cannot be downloaded: the wheel of Lifetimes 0.11.3")
    (wheel,) = directory.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        text = content.read("lifetimes/datasets/CDNOW_master.txt").decode()
    lake = spark.lake("shop")
    lake.arrive(
        "1998-07-01T00", [_bought(number, *line.split()) for number, line in enumerate(text.splitlines()[1:])]
    )
    # 18 months are many files to read.
    run = _all(lake, datetime(1998, 7, 1, tzinfo=UTC))
    with spark.computing():
        assert spark.drive(run) == [0]
    return lake


def _bought(number: int, customer: str, day: str, _: str, dollars: str) -> Event:
    paid = {"store": "web", "transaction_id": str(number), "currency": "USD"}
    # Eighty purchases cost nothing, which a schema refuses and the audit notices: each costs a cent more.
    payload = {**paid, "amount_minor": round(float(dollars) * 100) + 1}
    day = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    return event(number, "purchase", day, customer, payload=payload, received_at="1998-07-01T00:00:00.000Z")


def test_the_published_figures_of_a_public_data_set_come_out(shop: Lake) -> None:
    revenue, daily = _total(shop, "revenue"), _total(shop, "daily")
    assert sum(row["purchases"] for row in revenue) == 69_659
    assert sum(row["gross_minor"] for row in revenue) == 250_031_563 + 69_659
    new = Counter[str]()
    for row in daily:
        new[f"{row['event_date']:%Y-%m}"] += row["new_players"]
    assert +new == {"1997-01": 7_846, "1997-02": 8_476, "1997-03": 7_248}
    january = [row for row in revenue if f"{row['event_date']:%Y-%m}" == "1997-01"]
    assert (sum(row["purchases"] for row in january), sum(row["gross_minor"] for row in january)) == (
        8_928,
        29_906_017 + 8_928,
    )
