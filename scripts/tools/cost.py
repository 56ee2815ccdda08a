"""Tell what an environment costs a month on AWS at a load, beside the AWS guidance's published figures."""

import json
from collections import defaultdict
from dataclasses import asdict, dataclass, replace

from rich.console import Console
from rich.table import Table

from tools import Parser, run
from tools.costs import model, settings
from tools.costs.model import LAKE, REALTIME, REST_API, SHARED, TOGETHER, Line, Load
from tools.costs.settings import Settings

RATES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
# What the AWS guidance publishes a month (Game Analytics Pipeline, README of August 2025) for 259.2 million
# events of 1 KB in REST requests of 100: its lake on Iceberg, by the lines of its table, and on Hive; real
# time comes on top of either.
GUIDANCE_EVENTS = 259.2e6
GUIDANCE_REQUEST = 100
BOTH, EVERYTHING = "lake and real time", "history and player state too"
GUIDANCE = {LAKE: (54.21, 92.06), REALTIME: (770.94, 770.94), BOTH: (54.21 + 770.94, 92.06 + 770.94)}

console = Console(width=130)


def by_component(lines: list[Line]) -> dict[str, float]:
    """Return the dollars of each component, dearest first."""
    sums: dict[str, float] = defaultdict(float)
    for line in lines:
        sums[line.component] += line.dollars
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def per_million(dollars: float, load: Load) -> float:
    """Return dollars per million events."""
    return dollars / load.events * 1e6


@dataclass(frozen=True, slots=True)
class Compared:
    """Dollars per million events.

    `listed` is what the guidance counts, `alike` that without claims and a stream kept beyond a day, which it
    has not; `billed` is all of AWS's bill, `guidance` what it publishes.
    """

    listed: float
    alike: float
    billed: float
    guidance: tuple[float, ...]


def compared(load: Load, given: Settings) -> dict[str, Compared]:
    """Return ours beside the guidance by features, all events by REST in requests as large as its own."""
    sent = replace(load, rest_share=1, a_request=GUIDANCE_REQUEST)
    lines = model.bill(sent, given)
    alike = model.bill(sent, replace(given, dedupe_hours=0, retention_hours=24))
    lake = (REST_API, LAKE, SHARED)
    features = {LAKE: lake, REALTIME: (REALTIME,), BOTH: (*lake, REALTIME), EVERYTHING: ()}
    return {
        name: Compared(
            per_million(model.total([line for line in lines if line.listed], *wanted), sent),
            per_million(model.total([line for line in alike if line.listed], *wanted), sent),
            per_million(model.total(lines, *wanted), sent),
            tuple(dollars / GUIDANCE_EVENTS * 1e6 for dollars in GUIDANCE.get(name, ())),
        )
        for name, wanted in features.items()
    }


def as_json(load: Load, given: Settings) -> str:
    """Return the bill as JSON: the load, lines, components, total, and dollars per million events."""
    lines = model.bill(load, given)
    dollars = model.total(lines)
    answer = {
        "load": asdict(load),
        "prices": {"date": model.prices()["date"], "region": model.prices()["region"]},
        "components": by_component(lines),
        "lines": [asdict(line) for line in lines],
        "beside": [asdict(line) for line in model.beside(load)],
        "dollars_a_month": dollars,
        "dollars_per_million_events": per_million(dollars, load),
        "compared": {name: asdict(found) for name, found in compared(load, given).items()},
    }
    return json.dumps(answer, indent=2)


def show(load: Load, given: Settings, detailed: bool) -> None:
    """Print the bill by component, or by line."""
    lines = model.bill(load, given)
    table = Table("Component", *(["Item"] if detailed else []), "$ a month", "$ per million events")
    if detailed:
        for line in lines:
            table.add_row(
                line.component, line.item, f"{line.dollars:,.2f}", f"{per_million(line.dollars, load):.4f}"
            )
    else:
        for component, dollars in by_component(lines).items():
            table.add_row(component, f"{dollars:,.2f}", f"{per_million(dollars, load):.4f}")
    every = model.total(lines)
    blank = [""] if detailed else []
    table.add_row("all", *blank, f"{every:,.2f}", f"{per_million(every, load):.4f}", style="bold")
    console.print(table)
    for line in model.beside(load):
        console.print(f"Not in it: {line.component}, {line.item}: ${line.dollars:,.2f}", highlight=False)
    console.print(
        f"Per million events by REST in requests of {GUIDANCE_REQUEST}, beside the AWS guidance at 100/s:"
    )
    for name, found in compared(load, given).items():
        theirs = " to ".join(f"${dollars:.2f}" for dollars in sorted(set(found.guidance))) or "not there"
        ours = f"${found.listed:.3f} for what it counts, ${found.alike:.3f} as it delivers"
        console.print(f"{name}: {ours}, ${found.billed:.3f} in all; theirs {theirs}", highlight=False)


def show_rates(load: Load, environment: str, given: Settings) -> None:
    """Print dollars per million events from 10 to a million events a second."""
    columns = (
        "as it is: $ a month",
        "per million",
        "fitted: $ a month",
        "per million",
        "fitted: lake",
        "real time",
        "both",
        "everything",
    )
    table = Table("Events/s", *columns, title=f"{environment}, and with shards and units that fit the load")
    for rate in RATES:
        at = replace(load, events_per_second=rate)
        fitted = model.fitted(at, given)
        sums = [model.total(model.bill(at, setting)) for setting in (given, fitted)]
        cells = [cell for dollars in sums for cell in (f"{dollars:,.0f}", f"{per_million(dollars, at):.3f}")]
        table.add_row(
            f"{rate:,}", *cells, *(f"{found.listed:.3f}" for found in compared(at, fitted).values())
        )
    console.print(table)


def show_worst_key(environment: str, given: Settings) -> None:
    """Print what the dearest key can cost a day before it is disabled."""
    quota = settings.quota(environment)
    console.print(
        f"A key that sends {quota.events_a_day:,} events of 1 KB in {quota.requests_a_day:,} requests costs "
        f"${model.worst_key(given, quota):,.2f} a day. Then it is disabled until `scripts/games enable`.",
        highlight=False,
    )


def main() -> None:
    """Read the environment's Terraform and print its bill."""
    parser = Parser(
        prog="scripts/cost",
        choices=("dev", "prod"),
        description=__doc__,
        examples=(
            "scripts/cost --environment prod --events-per-second 1000 --games 5",
            "scripts/cost --environment prod --table",
            "scripts/cost --environment dev --worst-key",
        ),
    )
    parser.add_argument("--events-per-second", type=float, default=100)
    parser.add_argument("--event-bytes", type=int, default=1000)
    parser.add_argument("--games", type=int, default=1)
    parser.add_argument(
        "--together", type=int, choices=TOGETHER, default=12, help="events of a player that come at once"
    )
    parser.add_argument("--rest-share", type=float, default=0.5, help="share of events by REST, 0 to 1")
    parser.add_argument("--events-a-request", type=int, default=12, help="events in a REST request")
    parser.add_argument("--months", type=int, default=0, help="months of events the lake holds already")
    parser.add_argument(
        "--fitted", action="store_true", help="with as many shards and units as the load needs"
    )
    parser.add_argument("--lines", action="store_true", help="every line of the bill")
    parser.add_argument("--table", action="store_true", help="from 10 to 1,000,000 events a second")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--worst-key", action="store_true", help="what the dearest key can cost a day, within its quota"
    )
    options = parser.parse_args()
    if (
        min(options.events_per_second, options.event_bytes, options.games, options.events_a_request) <= 0
        or not 0 <= options.rest_share <= 1
        or options.months < 0
    ):
        parser.error(
            "rate, bytes, games and --events-a-request are positive, --months is not negative, "
            "--rest-share is 0 to 1"
        )
    load = Load(
        options.events_per_second,
        options.event_bytes,
        options.games,
        options.together,
        options.rest_share,
        options.events_a_request,
        options.months,
    )
    given = settings.read(options.environment)
    if options.fitted:
        given = model.fitted(load, given)
    if options.worst_key:
        show_worst_key(options.environment, given)
    elif options.json:
        print(as_json(load, given))
    elif options.table:
        show_rates(load, options.environment, given)
    else:
        show(load, given, options.lines)


if __name__ == "__main__":
    run(main)
