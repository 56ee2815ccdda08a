"""Keep what advertising for players cost, and compare it with what they brought: return on ad spend.

`upload` takes a CSV file with the columns date, install_source, currency and amount, and campaign where
costs are known by campaign. An amount is in units of its currency, such as 12.50. Sources and campaigns have
the names that events send. Lines of one day, source, campaign and currency are added up, and replace what is
kept of them.

The costs are also copied into the table `ad_spend` of the lake, which SQL reads.

`show` compares. Revenue is net, of purchases and ads, by day N after the install, in the currency of the
cost: nothing is converted. Day N counts the installs whose day N is over, and the costs of the same days.
"""

import csv
import os
import re
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pandas as pd
import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.table import TableProperties
from telemetry import ad_spend, catalog
from telemetry.ad_spend import NUMBERS, SHOWN_DAYS, History, Row, Spend
from telemetry.money import MICROS_DIGITS

from tools import CommandError, Parser, emulator, games, gold, infrastructure, run

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

NEEDED = ("date", "install_source", "currency", "amount")
# What one file, one day and one amount may have.
MAX_LINES, MAX_NAMES_A_DAY, MAX_AMOUNT = 100_000, 200, 10**9
SHOWN_ERRORS = 10
LAKE_TABLE, COPY_TRIES, RETRIES = "ad_spend", 5, TableProperties.COMMIT_NUM_RETRIES


def read(path: Path, today: date) -> list[Spend]:
    """Return the costs of a file, those of one name added up.

    Raises CommandError that names the lines that are wrong; then nothing of the file is taken.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.DictReader(file)
            if missing := [name for name in NEEDED if name not in (lines.fieldnames or ())]:
                raise CommandError(f"{path} has no column {', '.join(missing)}")
            return _sum(path, lines, today)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None


def _sum(path: Path, lines: "csv.DictReader[str]", today: date) -> list[Spend]:
    sums, wrong = Counter[tuple[date, str, str, str]](), list[str]()
    for count, line in enumerate(lines, start=1):
        if count > MAX_LINES:
            raise CommandError(f"{path} has more than {MAX_LINES:,} lines: make several files")
        try:
            *name, micros = _spend(line, today)
            sums[tuple(name)] += micros  # type: ignore[index]
        except CommandError as error:
            wrong.append(f"line {lines.line_num}: {error}")
    found = sorted(Spend(*name, micros) for name, micros in sums.items())
    wrong += _clashes(found)
    if wrong:
        more = f"; {len(wrong) - SHOWN_ERRORS} more" if len(wrong) > SHOWN_ERRORS else ""
        raise CommandError(f"nothing of {path} is taken. {'; '.join(wrong[:SHOWN_ERRORS])}{more}")
    if not found:
        raise CommandError(f"{path} has no line of costs")
    return found


def _spend(line: dict[str, Any], today: date) -> Spend:
    """Return a line's cost. Raises CommandError with what is wrong."""
    text = {name: (line.get(name) or "").strip() for name in (*NEEDED, "campaign")}
    try:
        day, amount = date.fromisoformat(text["date"]), Decimal(text["amount"])
    except (InvalidOperation, ValueError):
        raise CommandError("a date is 2026-01-31 and an amount is 12.50") from None
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text["date"]):
        raise CommandError("a date is 2026-01-31")
    if not today - timedelta(ad_spend.KEPT_DAYS) < day <= today:
        raise CommandError(f"{day} is later than today, or {ad_spend.KEPT_DAYS} days ago and more")
    if not amount.is_finite() or not 0 <= amount <= MAX_AMOUNT:
        raise CommandError(f"an amount is from 0 to {MAX_AMOUNT:,}")
    micros = amount.scaleb(MICROS_DIGITS)
    if micros != int(micros):
        raise CommandError(f"an amount has at most {MICROS_DIGITS} decimals")
    documents = catalog.documents()
    if text["currency"] not in catalog.newest("common/currency", documents)["enum"]:
        raise CommandError(f"{text['currency']!r} is no currency of ISO 4217")
    for event, field in (("session_start", "install_source"), ("player_registered", "campaign")):
        rule = catalog.newest(event, documents)["properties"][field]
        is_name = (
            re.fullmatch(rule["pattern"].strip("^$"), text[field]) and len(text[field]) <= rule["maxLength"]
        )
        if not is_name and (text[field] or field == "install_source"):
            raise CommandError(f"{text[field]!r} is no {field}: no event may have it")
    return Spend(day, text["install_source"], text["campaign"], text["currency"], int(micros))


def _clashes(of: Iterable[Spend]) -> Iterator[str]:
    """Yield what would count a cost twice, and days with too many names."""
    campaigns, names = defaultdict[tuple[Any, ...], set[str]](set), Counter[date]()
    for one in of:
        campaigns[one.day, one.install_source, one.currency].add(one.campaign)
        names[one.day] += 1
    for (day, source, currency), found in campaigns.items():
        if "" in found and len(found) > 1:
            yield f"{day} {source} {currency} has costs with and without a campaign: keep one kind"
    for day, count in names.items():
        if count > MAX_NAMES_A_DAY:
            yield f"{day} has {count} sources, campaigns and currencies: at most {MAX_NAMES_A_DAY} are kept"


def kept(table: "Table", game_id: str, first: date, last: date) -> list[Spend]:
    """Return the costs that are kept of some days."""
    pages = table.meta.client.get_paginator("query")
    rows = [
        row
        for partition in ad_spend.partitions(game_id, first, last)
        for page in pages.paginate(
            TableName=table.name,
            ConsistentRead=True,
            KeyConditionExpression="game_day = :partition",
            ExpressionAttributeValues={":partition": partition},
        )
        for row in page["Items"]
    ]
    return ad_spend.spends([rows], first, last)


def upload(table: "Table", game_id: str, spends: Sequence[Spend]) -> None:
    """Keep costs, in the place of those of the same day, source, campaign and currency.

    Raises CommandError, and keeps nothing, where a cost would count twice with one that is kept.
    """
    new = {one[:4]: one for one in spends}
    before = {one[:4]: one for one in kept(table, game_id, spends[0].day, spends[-1].day)}
    touched = {one.day for one in spends}
    if wrong := list(_clashes(one for one in (before | new).values() if one.day in touched)):
        raise CommandError(f"{'; '.join(wrong[:SHOWN_ERRORS])}. `scripts/spend remove` takes kept costs away")
    with table.batch_writer() as batch:
        for one in spends:
            batch.put_item(Item=ad_spend.item(game_id, one))


def remove(table: "Table", game_id: str, first: date, last: date, source: str = "") -> int:
    """Take the costs of some days away, of all sources or one; return how many there were."""
    found = [one for one in kept(table, game_id, first, last) if source in ("", one.install_source)]
    with table.batch_writer() as batch:
        for one in found:
            row = ad_spend.item(game_id, one)
            batch.delete_item(Key={"game_day": row["game_day"], "shard": row["shard"]})
    return len(found)


def copy(table: "Table", game_id: str, today: date) -> int:
    """Put the kept costs of a game into the lake's table, in the place of its rows there; return how many.

    Raises CommandError where the lake has no such table, or others write it all the time.
    """
    for _ in range(COPY_TRIES):
        # The table is looked up before the costs, so that a commit in between makes this one fail. A retry by
        # PyIceberg would put the rows that were read before on top of that commit.
        lake = gold.iceberg(LAKE_TABLE)
        if lake.properties.get(RETRIES) != "0":
            with lake.transaction() as change:
                change.set_properties({RETRIES: "0"})
        costs = kept(table, game_id, today - timedelta(ad_spend.KEPT_DAYS), today)
        rows = [
            {
                "game_id": game_id,
                "cohort_date": one.day,
                "install_source": one.install_source,
                "campaign": one.campaign,
                "currency": one.currency,
                "spend_micros": one.micros,
            }
            for one in costs
        ]
        # A game whose first costs come has no rows to take away, of which PyIceberg warns.
        with warnings.catch_warnings(action="ignore"), suppress(CommitFailedException, ValidationException):
            lake.overwrite(
                pa.Table.from_pylist(rows, schema=lake.schema().as_arrow()),
                overwrite_filter=gold.equal_to("game_id", game_id),
            )
            return len(rows)
    raise CommandError(f"{LAKE_TABLE} is written by others at the moment: run the command again")


def returns(game_id: str, spends: Sequence[Spend], by_campaign: bool) -> list[Row]:
    """Return each source or campaign: by currency, the largest cost first.

    Raises CommandError without a lake.
    """
    return ad_spend.returns(spends, known(game_id, spends, by_campaign), by_campaign) if spends else []


def known(game_id: str, spends: Sequence[Spend], by_campaign: bool) -> History:
    """Return what gold knows of the installs that had a cost. Raises CommandError without a lake."""
    return ad_spend.history(
        [
            gold.sql(question.sql, *question.values).itertuples(index=False)
            for question in ad_spend.questions(game_id, spends, by_campaign)
        ]
    )


def answer(game: str, by_campaign: bool = False, days: int = SHOWN_DAYS) -> pd.DataFrame:
    """Return the costs of the last days, up to 400, and their return, for notebooks; money is in units.

    GAME_DAYS_TABLE names the table that keeps costs; gold.use sets it.
    """
    today = datetime.now(UTC).date()
    table = boto3.resource("dynamodb").Table(os.environ["GAME_DAYS_TABLE"])
    rows = returns(game, kept(table, game, today - timedelta(days - 1), today), by_campaign)
    names = ["install_source", "campaign", "currency", "spend", "players", "cost_per_player"]
    units = [
        (
            *row[:3],
            major(row.spend_micros),
            row.cohort_players,
            major(row.cost_per_player_micros),
            *row.returns,
        )
        for row in rows
    ]
    return pd.DataFrame(units, columns=[*names, *(f"D{number}" for number in NUMBERS)])


def major(micros: float | None) -> float | None:
    """Return millionths of a currency's unit in units."""
    return None if micros is None else micros / 10**MICROS_DIGITS


def shown(rows: Iterable[Row]) -> str:
    """Return rows as a table of text."""
    lines = [["source", "campaign", "spend", "players", "a player", *(f"D{number}" for number in NUMBERS)]]
    for source, campaign, currency, spend, players, cost, found in rows:
        shares = (f"{share:.1%}" if share is not None else "-" for share in found)
        a_player = f"{major(cost):,.2f}" if cost is not None else "-"
        amount = f"{major(spend):,.2f} {currency}"
        lines.append([source, campaign or "*", amount, f"{players:,}", a_player, *shares])
    return _table(lines, texts=2)


def listed(of: Iterable[Spend]) -> str:
    """Return costs as a table of text."""
    lines = [["day", "source", "campaign", "spend"]]
    for day, source, campaign, currency, micros in of:
        amount = f"{major(micros):,.2f} {currency}"
        lines.append([str(day), source, campaign or "*", amount])
    return _table(lines, texts=3)


def _table(lines: list[list[str]], texts: int) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            text.ljust(width) if place < texts else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _copy(table: "Table", game_id: str, today: date) -> None:
    """Copy the costs to the lake, and say what to do where it cannot be written: the costs are kept."""
    try:
        count = copy(table, game_id, today)
    except CommandError as error:
        print(f"SQL reads earlier costs, because the lake cannot be written: {error}", file=sys.stderr)
    else:
        print(f"{count} costs of {game_id} are in the lake's table {LAKE_TABLE}")


def main() -> None:
    """Do what the command line says."""
    parser = Parser(
        prog="scripts/spend",
        description=__doc__,
        examples=(
            "scripts/spend upload spend.csv --game my-game",
            "scripts/spend show --game my-game --by campaign",
            "scripts/spend remove --game my-game --from 2026-01-01 --to 2026-01-31 --source north",
        ),
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("upload", help="keep the costs of a CSV file").add_argument(
        "file", type=Path, metavar="FILE", help="CSV file of what was spent"
    )
    commands.add_parser("show", help="compare costs with what players brought").add_argument(
        "--by", choices=("source", "campaign"), default="source", help="default: source"
    )
    commands.add_parser("list", help="show the costs that are kept")
    commands.add_parser("remove", help="take kept costs away").add_argument(
        "--source", default="", help="of this source only"
    )
    for name, command in commands.choices.items():
        command.add_argument("--game", required=True, help="the game's id")
        if name != "upload":
            days = {"required": True} if name == "remove" else {}
            for end in ("from", "to"):
                command.add_argument(f"--{end}", dest=end, type=date.fromisoformat, metavar="DAY", **days)
    given = parser.parse_args()
    today = datetime.now(UTC).date()
    spends = read(given.file, today) if given.command == "upload" else []
    if given.environment == "local":
        os.environ.update(emulator.local_environment())
    outputs = infrastructure.outputs(given.environment)
    games.require(outputs, given.game)
    table = boto3.resource("dynamodb").Table(outputs["tables"]["game_days"])
    gold.use(outputs, local=given.environment == "local")
    if given.command == "upload":
        upload(table, given.game, spends)
        print(f"{len(spends)} costs of {given.game} are kept")
        _copy(table, given.game, today)
        return
    last = given.to or today
    first = getattr(given, "from") or last - timedelta(SHOWN_DAYS - 1)
    if not last - timedelta(ad_spend.KEPT_DAYS) < first <= last:
        raise CommandError(f"give 1 to {ad_spend.KEPT_DAYS} days, the first one before the last")
    if given.command == "remove":
        print(f"{remove(table, given.game, first, last, given.source)} costs of {given.game} are removed")
        _copy(table, given.game, today)
        return
    spends = kept(table, given.game, first, last)
    if not spends:
        raise CommandError(f"no costs of {given.game} are kept of {first} to {last}: `scripts/spend upload`")
    if given.command == "list":
        print(listed(spends))
        return
    print(shown(returns(given.game, spends, given.by == "campaign")))


if __name__ == "__main__":
    run(main)
