"""Play a simulated game against the platform, and check every figure it then shows against what was sent."""

import gzip
import json
import math
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import httpx
from player_analytics import Connection, Settings
from rich.console import Console
from rich.table import Table
from telemetry import lake
from telemetry.ad_spend import Spend
from telemetry.delivery import Entry, put_records
from telemetry.enrichment import timestamp

from tools import CommandError, Parser, emulator, games, infrastructure, metrics_api, positive, run, spend
from tools.progress import STILL_SECONDS, Stuck, wait_for
from tools.simulation import DIMENSIONS, LIVE_PAUSE_SECONDS, Game, Session, Truth, simulate
from tools.steps import Bars, Steps

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table as GamesTable

SETTLE_SECONDS = 240
SESSIONS_AT_ONCE = 100
HTTP_THREADS = 4
BOARD = "global"
# The most parts that a design event of the simulated game has.
DESIGN_DEPTH = 3
FORMS = ("single", "ndjson", "array", "gzip")

# Names of events have colons, which are no emoji.
console = Console(emoji=False)


@dataclass(frozen=True, slots=True)
class Platform:
    """An applied environment, reached as games and producers reach it."""

    outputs: dict[str, Any]
    api: httpx.Client

    @property
    def ingest_url(self) -> str:
        """The REST API, without a path."""
        return emulator.ingest_url(self.outputs)

    @property
    def events_url(self) -> str:
        """Where the REST API takes events."""
        return f"{self.ingest_url}/v1/events"

    def read(self, path: str, **parameters: str | int) -> dict[str, Any]:
        """Return an answer of the metrics API."""
        answer = self.api.get(path, params=parameters)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body


def send(
    platform: Platform, sessions: list[Session], key: str, advance: Callable[[int], None]
) -> Counter[str]:
    """Send the sessions in their order by REST API and stream; return what the API answered, by reason."""
    verdicts: Counter[str] = Counter()
    kinesis, shapes = boto3.client("kinesis"), random.Random(1)  # noqa: S311 - shapes of records
    with ThreadPoolExecutor(HTTP_THREADS) as pool:
        for start in range(0, len(sessions), SESSIONS_AT_ONCE):
            batch = sessions[start : start + SESSIONS_AT_ONCE]
            posts = [session for session in batch if session.rest]
            entries = [entry for s in batch if not s.rest for entry in _records(s, shapes.choice(FORMS))]
            if lost := put_records(kinesis, platform.outputs["raw_stream_name"], entries):
                raise CommandError(f"the stream did not take {len(lost)} records")
            for verdict in pool.map(lambda s: _post(platform.ingest_url, s, key), posts):
                verdicts += verdict
            advance(sum(len(session.letters) for session in batch))
    return verdicts


def _records(session: Session, form: str) -> Iterator[Entry]:
    now = datetime.now(UTC)
    key = f"{session.letters[0].event['game_id']}/{session.letters[0].player_id}"
    sane = [letter for letter in session.letters if letter.reason not in ("malformed_json", "too_large")]
    lines = [letter.encode(now) for letter in sane]
    for letter in session.letters:
        if letter.reason in ("malformed_json", "too_large"):
            yield Entry(key, letter.encode(now))
    match form:
        case "single":
            yield from (Entry(key, line) for line in lines)
        case "array":
            yield Entry(key, b"[" + b",".join(lines) + b"]")
        case "ndjson":
            yield Entry(key, b"\n".join(lines))
        case _:
            yield Entry(key, gzip.compress(b"\n".join(lines)))


def _post(url: str, session: Session, key: str) -> Counter[str]:
    skew = session.letters[0].skew.total_seconds()
    device = Settings(clock=lambda: time.time() + skew, signature="beside_key", timeout_seconds=STILL_SECONDS)
    answer = Connection(url, key, device).send([letter.posted() for letter in session.letters])
    if answer.retry:
        raise CommandError(answer.problem)
    reasons = (refusal.partition(" ")[0] for refusal in answer.rejected.values())
    return Counter(accepted=answer.accepted) + Counter(reasons)


def expected_verdicts(sessions: list[Session]) -> Counter[str]:
    """Return what the REST API can know: all but whether an event came before."""
    names = {"unknown_game": "wrong_game", "duplicate": "accepted", None: "accepted"}
    letters = (letter for session in sessions if session.rest for letter in session.letters)
    return Counter(names.get(letter.reason, letter.reason) or "" for letter in letters)


def shown_figures(platform: Platform, game_id: str, days: int, without_game: Counter[str]) -> dict[str, Any]:
    """Return what the platform shows of the game; `without_game` are earlier rejects of no known game."""
    today = datetime.now(UTC).date()
    span = {"from": str(today - timedelta(days=days + 1)), "to": str(today)}
    arrivals = platform.read(f"/v1/games/{game_id}/ingestion", **span)
    summary = platform.read(f"/v1/games/{game_id}/summary", **span)
    unknown = unattributed(platform) - without_game
    economy = platform.read(f"/v1/games/{game_id}/economy", **span)["currencies"]
    levels = platform.read(f"/v1/games/{game_id}/funnel", **span)["levels"]
    cohorts = platform.read(f"/v1/games/{game_id}/retention", depth=1, **span)["cohorts"]
    ads = platform.read(f"/v1/games/{game_id}/ads", by="network", **span)["ads"]
    designs = [
        row
        for depth in range(1, DESIGN_DEPTH + 1)
        for row in platform.read(f"/v1/games/{game_id}/design", depth=depth, **span)["names"]
    ]
    attempts = {"start": "starts", "complete": "completes", "fail": "fails"}
    return {
        "events accepted": arrivals["accepted"],
        "of them late": arrivals["late"],
        "of them from a skewed clock": arrivals["skewed"],
        "duplicates removed": arrivals["rejected"].get("duplicate", 0),
        "rejected": {k: v for k, v in sorted(arrivals["rejected"].items()) if k != "duplicate"},
        "rejected without a game": dict(sorted(unknown.items())),
        "events sent": arrivals["total"] + unknown.total(),
        "active players": {day["date"]: day["active_players"] for day in summary["days"] if day["events"]},
        "active in the last 30 days": summary["days"][-1]["monthly_active_players"],
        "events by type": summary["totals"]["events_by_type"],
        "revenue in minor units": summary["totals"]["revenue"],
        "refunded in minor units": summary["totals"]["refunded"],
        "trials": summary["totals"]["trials"],
        "virtual currencies": {
            f"{currency['currency']} {flow}": currency[flow]
            for currency in economy
            for flow in ("sink", "source")
            if currency[flow]
        },
        "attempts of levels": {
            f"{level['level']} {status}": level[name]
            for level in sorted(levels, key=lambda level: str(level["level"]))
            for status, name in sorted(attempts.items())
            if level[name]
        },
        "advertisements": advertisements(
            (ad["network"], ad["impressions"], ad["completed_impressions"], ad["ad_revenue_micros"])
            for ad in ads
        ),
        "design events": design_events(
            (row["name"], row["design_events"], row["value_sum"]) for row in designs
        ),
        "players who came back the day after": {
            cohort["install_date"]: cohort["retained_players"][1]
            for cohort in cohorts
            if cohort["cohort_players"] and cohort["retained_players"][1] is not None
        },
    }


def expected_figures(truth: Truth) -> dict[str, Any]:
    """Return the same figures from what was sent."""
    return {
        "events accepted": truth.accepted,
        "of them late": truth.late,
        "of them from a skewed clock": truth.skewed,
        "duplicates removed": truth.rejected["duplicate"],
        "rejected": {k: v for k, v in sorted(truth.rejected.items()) if k != "duplicate"},
        "rejected without a game": dict(sorted(truth.without_game.items())),
        "events sent": truth.sent,
        "active players": {day: len(players) for day, players in sorted(truth.players_by_day.items())},
        "active in the last 30 days": len(set().union(*truth.players_by_day.values())),
        "events by type": dict(sorted(truth.events_by_type.items())),
        "revenue in minor units": dict(sorted(truth.revenue.items())),
        "refunded in minor units": dict(sorted(truth.refunded.items())),
        "trials": truth.trials,
        "virtual currencies": dict(sorted(truth.economy.items())),
        "attempts of levels": dict(sorted(truth.levels.items())),
        "advertisements": dict(sorted((+truth.ads).items())),
        "design events": dict(sorted((+truth.designs).items())),
        "players who came back the day after": truth.came_back(datetime.now(UTC).date()),
    }


def advertisements(rows: Iterable[tuple[str, int, int, Mapping[str, int]]]) -> dict[str, int]:
    """Return impressions, those watched to the end and revenue by network, as the simulator notes them."""
    found: Counter[str] = Counter()
    for network, impressions, completed, revenue in rows:
        found.update({f"{network} impressions": impressions, f"{network} completed": completed})
        found.update({f"{network} {currency}": micros for currency, micros in revenue.items()})
    return dict(sorted((+found).items()))


def design_events(rows: Iterable[tuple[str, int, float]]) -> dict[str, int]:
    """Return events and hundredths of their values by name, as the simulator notes them."""
    found: Counter[str] = Counter()
    for name, events, total in rows:
        found.update({f"{name} events": events, f"{name} hundredths": round(100 * total)})
    return dict(sorted((+found).items()))


def unattributed(platform: Platform) -> Counter[str]:
    """Return the rejects of no known game in the last days, by reason."""
    return Counter(platform.read("/v1/games/unknown/ingestion")["rejected"])


def lake_ids(platform: Platform, game_id: str, since: datetime) -> tuple[Counter[str], int]:
    """Return how often bronze holds each event id of the game, and the lines of its quarantine."""
    bronze, rejected = (lake_lines(platform, prefix, since) for prefix in ("bronze/", "rejected/"))
    ids = Counter(line["event_id"] for line in bronze if line["game_id"] == game_id)
    return ids, sum(line["game_id"] in (game_id, "unknown") for line in rejected)


def lake_lines(platform: Platform, prefix: str, since: datetime) -> Iterator[dict[str, Any]]:
    """Yield the lines of the lake under a prefix that were received since a moment."""
    s3, bucket = boto3.client("s3"), platform.outputs["lake_bucket"]
    for key in lake.keys(s3, bucket, prefix, since):
        yield from (line for line in lake.lines(s3, bucket, key) if line["received_at"] >= timestamp(since))


def play(platform: Platform, game_id: str, key: str, players: int, days: int, seed: int) -> Truth:
    """Send, wait until the figures settle, show them, and return what was sent.

    Raises CommandError where a figure is not what was sent.
    """
    without_game, started = unattributed(platform), datetime.now(UTC)
    sessions, truth = simulate(game_id, players, days, seed)
    counted = boto3.resource("dynamodb").Table(platform.outputs["tables"]["game_days"])
    spend.upload(counted, game_id, sorted(truth.costs))
    with Bars(console) as progress:
        sending = progress.add_task("events sent", total=truth.sent)
        verdicts = send(platform, sessions, key, lambda count: progress.advance(sending, count))
        settling = progress.add_task("events in player state", total=truth.accepted)
        seen: dict[str, Any] = {}

        def settled() -> bool:
            seen.update(shown_figures(platform, game_id, days, without_game))
            progress.update(settling, completed=sum(seen["events by type"].values()))
            return seen == expected_figures(truth)

        # Figures that stand still and differ are shown below.
        with suppress(Stuck):
            wait_for(
                f"the figures of {game_id}",
                settled,
                value=lambda: str(seen),
                still_seconds=SETTLE_SECONDS,
                pause_seconds=1,
            )
    with Steps(console).working(lambda: "reads the lake's bronze and quarantine"):
        bronze, quarantined = lake_ids(platform, game_id, started)
    top = platform.read(f"/v1/games/{game_id}/leaderboards/{BOARD}", limit=10)["entries"]
    first, last = min(truth.costs).day, max(truth.costs).day
    seen |= {
        "costs of advertising": _costs(spend.kept(counted, game_id, first, last)),
        "answers of the REST API": dict(sorted(verdicts.items())),
        "distinct events in bronze": len(bronze),
        "lines in the quarantine": quarantined,
        f"top 10 of {BOARD}": [(entry["player_id"], entry["score"]) for entry in top],
    }
    known = expected_figures(truth) | {
        "costs of advertising": _costs(truth.costs),
        "answers of the REST API": dict(sorted(expected_verdicts(sessions).items())),
        "distinct events in bronze": truth.accepted,
        "lines in the quarantine": truth.rejected.total() + truth.without_game.total(),
        f"top 10 of {BOARD}": truth.top(BOARD, 10),
    }
    compare(f"{game_id}, as the platform tells it", seen, known)
    return truth


def _costs(of: Iterable[Spend]) -> dict[str, int]:
    """Return costs in millionths by day, source and currency."""
    return {f"{one.day} {one.install_source} {one.currency}": one.micros for one in sorted(of)}


def play_on(platform: Platform, game_id: str, players: int, minutes: float) -> None:
    """Let players play in real time, so that there is something to watch; what they do is not checked."""
    dice, now = random.Random(), datetime.now(UTC)  # noqa: S311 - a game
    game = Game(game_id, players, 1, dice.randrange(10**6), now)
    crowd = [game.play_on(number) for number in range(players)]
    kinesis, stream = boto3.client("kinesis"), platform.outputs["raw_stream_name"]
    until = time.monotonic() + minutes * 60
    while time.monotonic() < until:
        # More and fewer of them play, in waves of ten minutes.
        share = 0.6 + 0.4 * math.sin(time.time() / 600 * 2 * math.pi)
        moment = timestamp(datetime.now(UTC))
        entries = [
            Entry(f"{game_id}/{event['player_id']}", json.dumps(event).encode())
            for events in crowd[: max(1, round(share * players))]
            if dice.random() < 1 / LIVE_PAUSE_SECONDS
            for event in [next(events) | {"event_time": moment, "sent_at": moment}]
        ]
        put_records(kinesis, stream, entries)
        time.sleep(1)


def compare(title: str, seen: dict[str, Any], known: dict[str, Any]) -> None:
    """Show figures beside those that were sent. Raises CommandError where they differ."""
    table = Table(title=title)
    for column in ("Figure", "Platform", "Simulator"):
        table.add_column(column, overflow="fold")
    for name, value in seen.items():
        same = value == known[name]
        table.add_row(name, _text(value), "[green]the same" if same else f"[red]{_text(known[name])}")
    console.print(table)
    if wrong := [name for name, value in seen.items() if value != known[name]]:
        raise CommandError(f"the platform and the simulator differ: {', '.join(wrong)}")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        written = (
            (name, f"{one:.1%}" if isinstance(one, float) else f"{one:,}") for name, one in value.items()
        )
        return "\n".join(f"{name} {one}" for name, one in written) or "none"
    if isinstance(value, list):
        return "\n".join(f"{rank:>2} {player} {score:,}" for rank, (player, score) in enumerate(value, 1))
    return f"{value:,}"


def main() -> None:
    """Register a game of its own unless one is named, and play it."""
    parser = Parser(
        prog="scripts/simulate",
        description=__doc__,
        examples=(
            "scripts/simulate",
            "scripts/simulate --players 100 --days 7",
            "scripts/simulate --game my-game --players 20 --live 10",
        ),
    )
    parser.add_argument("--api", help="address of the metrics API (default: the one on this machine)")
    parser.add_argument("--game", help="a registered game (default: a new one)")
    parser.add_argument("--key", default=os.environ.get("GAME_KEY"), help="its API key (default: GAME_KEY)")
    parser.add_argument("--players", type=positive, default=500)
    parser.add_argument("--days", type=positive, default=3, help="simulated days, at most 30")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--live", type=float, metavar="MINUTES", help="play in real time instead, unchecked")
    options = parser.parse_args()
    if not (1 <= options.days <= 30 and options.players >= 1):
        parser.error("--days is 1 to 30, --players at least 1")
    if options.game and not (options.key or options.live):
        parser.error("--game needs --key, or GAME_KEY in the environment")
    if options.environment == "local":
        os.environ.update(emulator.local_environment())
    outputs = infrastructure.outputs(options.environment)
    if options.game:
        games.require(outputs, options.game)
    address = options.api or metrics_api.current().address
    with httpx.Client(base_url=address, timeout=STILL_SECONDS) as api:
        platform = Platform(outputs, api)
        game, key = options.game, options.key
        if not game:
            game, key = new_game(outputs)
        try:
            if options.live:
                play_on(platform, game, options.players, options.live)
                return
            play(platform, game, key, options.players, options.days, options.seed)
        except httpx.HTTPError as error:
            raise CommandError(f"{address} or the REST API: {error}") from error


def new_game(outputs: dict[str, Any]) -> tuple[str, str]:
    """Register a game that was never played, and return its id and key."""
    game = f"skyforge-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    table, plan = games.registry(outputs)
    key = games.add_game(table, game, "Skyforge (simulated)", plan)
    declare(table, game)
    return game, key


def declare(table: "GamesTable", game: str) -> None:
    """Declare the custom dimensions of the simulated game."""
    for slot, one in DIMENSIONS.items():
        games.declare_dimension(table, game, int(slot), one["name"], one["rule"], one["values"])


if __name__ == "__main__":
    run(main)
