"""Compare what advertising cost with what its players brought: return on ad spend by source and campaign.

FILE is a CSV file with the columns date, install_source, currency and amount, and campaign where spend is
known by campaign. An amount is in units of its currency, such as 12.50. Sources and campaigns
have the names that events send.

Revenue is net, of purchases and ads, by day N after the install, in the currency of the spend: nothing is
converted. Day N counts the installs whose day N is over, and the spend of the same days.
"""

import csv
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from telemetry.metric_model import Formula
from telemetry.money import MICROS_DIGITS

from tools import CommandError, Parser, emulator, games, gold, infrastructure, run

NEEDED = ("date", "install_source", "currency", "amount")
NUMBERS = (0, 7, 30)
RETURN = Formula("revenue", "spend")
COST = Formula("spend", "players")
ALL = "platform = '*' AND country = '*' AND app_version = '*'"

# A source, a campaign or "", and a currency.
Name = tuple[str, str, str]


class Spend(NamedTuple):
    """What a day's installs of a source or campaign cost."""

    day: date
    name: Name
    amount: Decimal


class Row(NamedTuple):
    """A source or campaign: money is in units of the currency; None where there is no figure."""

    name: Name
    spend: float
    players: int
    cost_per_player: float | None
    returns: tuple[float | None, ...]


def read(path: Path) -> list[Spend]:
    """Return the rows of a file. Raises CommandError for one that cannot be read, with the line."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.DictReader(file)
            if missing := [name for name in NEEDED if name not in (lines.fieldnames or ())]:
                raise CommandError(f"{path} has no column {', '.join(missing)}")
            return [_spend(line, f"{path}, line {lines.line_num}") for line in lines]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None


def _spend(line: dict[str, str], where: str) -> Spend:
    try:
        day, amount = date.fromisoformat(line["date"]), Decimal(line["amount"])
    except (InvalidOperation, TypeError, ValueError):
        raise CommandError(f"{where}: a date is 2026-01-31 and an amount is 12.50") from None
    if not amount.is_finite() or amount < 0:
        raise CommandError(f"{where}: an amount is no less than 0")
    name = line["install_source"], line.get("campaign") or "", line["currency"]
    if not name[0] or not name[2]:
        raise CommandError(f"{where}: install_source or currency is empty")
    return Spend(day, name, amount)


def returns(game_id: str, spends: Sequence[Spend]) -> list[Row]:
    """Return each source or campaign, the largest spend first.

    Raises CommandError where gold cannot be read.
    """
    if {bool(campaign) for _, (_, campaign, _), _ in spends} == {False, True}:
        raise CommandError("some lines name a campaign and some do not: make two files")
    by_campaign = any(campaign for _, (_, campaign, _), _ in spends)
    players, revenue, last = _history(game_id, by_campaign)
    names = {one.name for one in spends}
    rows = [_row(name, [one for one in spends if one.name == name], players, revenue, last) for name in names]
    return sorted(rows, key=lambda row: (-row.spend, row.name))


def _row(
    name: Name,
    spends: Sequence[Spend],
    players: Counter[tuple[str, str, date]],
    revenue: Counter[tuple[Name, date, int]],
    last: date,
) -> Row:
    days = {one.day for one in spends}
    spent = float(sum(one.amount for one in spends))
    count = sum(players[*name[:2], day] for day in days)
    found: list[float | None] = []
    for number in NUMBERS:
        over = {day for day in days if day + timedelta(number) <= last}
        micros = sum(revenue[name, day, number] for day in over)
        amount = sum(one.amount for one in spends if one.day in over)
        found.append(RETURN.value(micros / 10**MICROS_DIGITS, float(amount)))
    return Row(name, spent, count, COST.value(spent, count), tuple(found))


def _history(
    game_id: str, by_campaign: bool
) -> tuple[Counter[tuple[str, str, date]], Counter[tuple[Name, date, int]], date]:
    """Return the players of install days, what they had brought by day N, and the last day that is over."""
    campaign = "campaign" if by_campaign else "'' AS campaign"
    numbers = ", ".join(map(str, NUMBERS))
    found = gold.sql(
        f"""
        SELECT install_source, {campaign}, currency, cohort_date, day_number,
          sum(cohort_players) AS players, sum(lifetime_net_total_micros) AS micros
        FROM acquisition_value WHERE game_id = ? AND {ALL} AND day_number IN ({numbers})
        GROUP BY 1, 2, 3, 4, 5
        """,  # noqa: S608 - constants
        game_id,
    )
    days = gold.sql(f"SELECT max(event_date) AS last FROM acquisition WHERE game_id = ? AND {ALL}", game_id)  # noqa: S608
    players, revenue = Counter[tuple[str, str, date]](), Counter[tuple[Name, date, int]]()
    for row in found.to_dict("records"):
        source, name, day = row["install_source"], row["campaign"], _day(row["cohort_date"])
        if row["day_number"] == 0:
            # Each currency has all players of the cohort.
            players[source, name, day] = int(row["players"])
        revenue[(source, name, row["currency"]), day, int(row["day_number"])] = int(row["micros"])
    if not revenue:
        raise CommandError(f"gold has no installs of {game_id} with money: run scripts/batch first")
    return players, revenue, _day(days["last"][0])


def _day(value: date) -> date:
    """Return a day that a data frame may hold as a moment."""
    return date(value.year, value.month, value.day)


def shown(rows: Iterable[Row]) -> str:
    """Return rows as a table of text."""
    lines = [["source", "campaign", "spend", "players", "a player", *(f"D{number}" for number in NUMBERS)]]
    for (source, campaign, currency), spend, players, cost, found in rows:
        shares = (f"{share:.1%}" if share is not None else "-" for share in found)
        a_player = f"{cost:,.2f}" if cost is not None else "-"
        lines.append([source, campaign or "*", f"{spend:,.2f} {currency}", f"{players:,}", a_player, *shares])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            text.ljust(width) if place < 2 else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def main() -> None:
    """Do what the command line says."""
    parser = Parser(
        prog="scripts/spend", description=__doc__, examples=("scripts/spend spend.csv --game my-game",)
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV file of what was spent")
    parser.add_argument("--game", required=True, help="the game's id")
    given = parser.parse_args()
    spends = read(given.file)
    if given.environment == "local":
        os.environ.update(emulator.local_environment())
    outputs = infrastructure.outputs(given.environment)
    games.require(outputs, given.game)
    gold.use(outputs, local=given.environment == "local")
    print(shown(returns(given.game, spends)))


if __name__ == "__main__":
    run(main)
