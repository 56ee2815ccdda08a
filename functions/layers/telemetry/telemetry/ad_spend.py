"""What advertising for players cost, and what those players brought: return on ad spend.

A studio uploads its costs with scripts/spend. They are rows of the game_days table: a month of a game is a
partition, and an install day, currency, source and campaign is a row. Readers join them with the gold table
`acquisition_value`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from telemetry.metric_model import ALL, WITH_TOTALS, tables
from telemetry.metric_model import ad_spend as metrics

SUBJECT = "spend"
# As the other rows of the table.
KEPT_DAYS = 400
# Readers show the costs of so many install days, where nobody says which.
SHOWN_DAYS = 90
# The days after the install that readers show.
NUMBERS = (0, 7, 30)
TABLE = "acquisition_value"
# PyIceberg adds a day to a bound: date.max would have no next one.
NO_END = date(9999, 1, 1)


class Spend(NamedTuple):
    """What a day's installs of a source cost, in millionths; `campaign` is "" where all its campaigns did."""

    day: date
    install_source: str
    campaign: str
    currency: str
    micros: int


class Row(NamedTuple):
    """A source, or one of its campaigns: None where there is no figure, a return for each of NUMBERS."""

    install_source: str
    campaign: str
    currency: str
    spend_micros: int
    cohort_players: int
    cost_per_player_micros: float | None
    returns: tuple[float | None, ...]


class History(NamedTuple):
    """What gold knows of install days, by source and campaign, and the last day that is over."""

    players: Mapping[tuple[str, str, date], int]
    # By source, campaign, currency, install day and days after it.
    micros: Mapping[tuple[str, str, str, date, int], int]
    last: date | None


class Question(NamedTuple):
    """SQL of TABLE with a ? for each value, and the days of a column that it asks for."""

    sql: str
    values: tuple[str, ...]
    day_column: str
    first: date
    last: date


def partitions(game_id: str, first: date, last: date) -> list[str]:
    """Return the keys of the partitions that hold the costs of some days."""
    months = sorted({f"{first + timedelta(n):%Y-%m}" for n in range((last - first).days + 1)})
    return [f"{game_id}#{month}#{SUBJECT}" for month in months]


def holds_costs(partition: str) -> bool:
    """Tell a partition of costs from those of counters."""
    return partition.rpartition("#")[2] == SUBJECT


def item(game_id: str, spend: Spend) -> dict[str, Any]:
    """Return the row of a cost."""
    (partition,) = partitions(game_id, spend.day, spend.day)
    expires = datetime.combine(spend.day + timedelta(KEPT_DAYS), datetime.min.time(), UTC)
    name = str(spend.day), spend.currency, spend.install_source, spend.campaign
    return {
        "game_day": partition,
        "shard": "#".join(name),
        "micros": spend.micros,
        "expires_at": int(expires.timestamp()),
    }


def spends(rows: Iterable[Iterable[Mapping[str, Any]]], first: date, last: date) -> list[Spend]:
    """Return the costs of some days, from rows of their partitions, in order."""
    found = []
    for row in (row for partition in rows for row in partition):
        day, currency, source, campaign = row["shard"].split("#")
        found.append(Spend(date.fromisoformat(day), source, campaign, currency, int(row["micros"])))
    return sorted(one for one in found if first <= one.day <= last)


def questions(game_id: str, of: Sequence[Spend], by_campaign: bool) -> Iterator[Question]:
    """Yield what gold must tell: players, money, and the last day that is over.

    Sources alone are a row for each install day, however many campaigns they have. The text is the same for
    Athena and DuckDB. There must be a cost.
    """
    first, last = min(one.day for one in of), max(one.day for one in of)
    sources, currencies = sorted({one.install_source for one in of}), sorted({one.currency for one in of})
    totals = " AND ".join(f"{name} = '{ALL}'" for name in tables()[TABLE].grain if name in WITH_TOTALS)
    given = game_id, str(first), str(last), *sources
    where = (
        f"WHERE game_id = ? AND {totals} AND cohort_date BETWEEN CAST(? AS date) AND CAST(? AS date)"
        f" AND install_source IN ({_marks(sources)})"
    )
    campaign, groups = ("campaign", ", campaign") if by_campaign else ("'' AS campaign", "")
    # Gold has the players of a campaign once for each currency.
    once = (
        "SELECT install_source, campaign, cohort_date, max(cohort_players) AS cohort_players\n"
        f"FROM {TABLE}\n{where} AND day_number = 0\nGROUP BY install_source, campaign, cohort_date"
    )
    yield Question(
        f"SELECT install_source, {campaign}, cohort_date, sum(cohort_players) AS cohort_players\n"
        f"FROM ({once}) AS campaigns\nGROUP BY install_source, cohort_date{groups}\nORDER BY 1, 2, 3",
        given,
        "cohort_date",
        first,
        last,
    )
    brought = ", ".join(
        f"sum(CASE WHEN day_number = {number} THEN lifetime_net_total_micros END) AS micros_{number}"
        for number in NUMBERS
    )
    yield Question(
        f"SELECT install_source, {campaign}, currency, cohort_date, {brought}\n"
        f"FROM {TABLE}\n{where} AND currency IN ({_marks(currencies)})"
        f" AND day_number IN ({', '.join(map(str, NUMBERS))})\n"
        f"GROUP BY install_source, currency, cohort_date{groups}\nORDER BY 1, 2, 3, 4",
        (*given, *currencies),
        "cohort_date",
        first,
        last,
    )
    yield Question(
        f"SELECT max(event_date) AS last_day\nFROM {TABLE}\nWHERE game_id = ? AND {totals}"
        " AND event_date >= CAST(? AS date)",
        (game_id, str(first)),
        "event_date",
        first,
        NO_END,
    )


def history(answers: Sequence[Iterable[Sequence[Any]]]) -> History:
    """Return what the answers to the questions say, as values of Python or as Athena's texts."""
    counted, brought, over = (list(rows) for rows in answers)
    players = {(source, campaign, _day(day)): int(count) for source, campaign, day, count in counted}
    micros = {
        (source, campaign, currency, _day(day), number): int(value)
        for source, campaign, currency, day, *values in brought
        for number, value in zip(NUMBERS, values, strict=True)
        if not _is_none(value)
    }
    last = over[0][0] if over else None
    return History(players, micros, None if _is_none(last) else _day(last))


def returns(of: Iterable[Spend], known: History, by_campaign: bool) -> list[Row]:
    """Return each source, or campaign, by currency: the largest spend of each currency first.

    Day N counts the install days whose day N is over, and the costs of the same days. A source has the
    players of all its campaigns.
    """
    costs: dict[tuple[str, str, str], Counter[date]] = {}
    for one in of:
        name = one.install_source, one.campaign if by_campaign else "", one.currency
        costs.setdefault(name, Counter())[one.day] += one.micros
    players, micros = Counter[tuple[str, str, date]](), Counter[tuple[str, str, str, date, int]]()
    for (source, campaign, day), count in known.players.items():
        players.update({(source, campaign, day): count, (source, "", day): count})
    for (source, campaign, currency, day, number), value in known.micros.items():
        for one_or_all in {campaign, ""}:
            micros[source, one_or_all, currency, day, number] += value
    rows, cost = [], metrics()["cost_per_player_micros"]
    for (source, campaign, currency), days in costs.items():
        spent, count = days.total(), sum(players[source, campaign, day] for day in days)
        shares = []
        for number in NUMBERS:
            over = [day for day in days if known.last and day + timedelta(number) <= known.last]
            brought = sum(micros[source, campaign, currency, day, number] for day in over)
            facts = {"lifetime_net_total_micros": brought, "spend_micros": sum(days[day] for day in over)}
            shares.append(metrics()["return_on_ad_spend"].of(facts))
        a_player = cost.of({"spend_micros": spent, "cohort_players": count})
        rows.append(Row(source, campaign, currency, spent, count, a_player, tuple(shares)))
    return sorted(rows, key=lambda row: (row.currency, -row.spend_micros, row[:2]))


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _day(value: Any) -> date:
    """Return a day of a text, or of a reader whose days are moments."""
    return date.fromisoformat(str(value)[:10])


def _is_none(value: Any) -> bool:
    """Tell that there is no value: a data frame holds what is no number in its place."""
    return value is None or value != value
