"""Run the whole platform on this machine and play a simulated game through it."""

import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
from rich.console import Console

from tools import (
    REPOSITORY,
    Arguments,
    CommandError,
    batch,
    build,
    emulator,
    gold,
    history,
    infrastructure,
    lake_tables,
    metrics_api,
    positive,
    quality,
    realtime,
    run,
    schemas,
    simulate,
)
from tools.apply import Apply
from tools.background import Background
from tools.installation import Installation
from tools.simulation import Truth
from tools.steps import Steps

LIVE_PLAYERS, LIVE_MINUTES = 60, 30
PLAYERS = Background(REPOSITORY / ".local" / "players")
INSTALLATIONS = REPOSITORY / ".local" / "installations"

# What the state of the Flink job means to the person who looks at the page.
REALTIME = {
    "running": "about two minutes behind the game",
    "starting": "not yet: the Flink job still starts",
    "ended": "off: the Flink job does not run",
}

console = Console()
steps = Steps(console)


def start(players: int, days: int, seed: int) -> None:
    """Build, start, apply, serve, play; every step can be repeated.

    Flink and Spark are installed meanwhile, one after the other: the first figures do not wait for them.
    """
    infrastructure.require_terraform()
    metrics_api.current().require_port()
    with Installation(INSTALLATIONS, ("realtime", "batch")) as engines:
        running = _prepare()
        outputs, api = bring(running.environment)
        game, key = simulate.new_game(outputs)
        steps.say(f"Playing {game}: {players} players over {days} days. Watch it: {api.address}/?game={game}")
        engines.then("realtime", lambda: _start_realtime(outputs, running.endpoint))
        with httpx.Client(base_url=api.address, timeout=30) as client:
            truth = simulate.play(simulate.Platform(outputs, client), game, key, players, days, seed)
        _compute_history(engines, outputs, game, truth)
        if missing := engines.wait("realtime", steps):
            steps.say(f"Real-time windows are off: {missing}")
    _judge_quality(outputs, game)
    who = ("--game", game, "--players", str(LIVE_PLAYERS))
    PLAYERS.start("-m", "tools.simulate", "--live", str(LIVE_MINUTES), *who)
    _say_what_next(outputs, api, game)


def _prepare() -> emulator.Emulator:
    """Build the packages while the emulator starts and Terraform is initialised; return the emulator."""
    doing = {"builds the functions' packages", "starts the emulator"}
    with ThreadPoolExecutor() as pool, steps.working(lambda: ", ".join(sorted(doing))):
        building = pool.submit(build.build, "local")
        building.add_done_callback(lambda _: doing.discard("builds the functions' packages"))
        running = emulator.start()
        doing.discard("starts the emulator")
        steps.say(f"Emulator at {running.endpoint}, IAM enforced; its log: .local/emulator/log")
        os.environ.update(running.environment)
        doing.add("initialises Terraform")
        infrastructure.initialise(infrastructure.root("local"))
        doing.discard("initialises Terraform")
        built = building.result()
    steps.say(f"{len(built)} packages of functions are built")
    return running


def bring(environment: dict[str, str]) -> tuple[dict[str, Any], metrics_api.MetricsApi]:
    """Bring this checkout to the running emulator, and start the metrics API anew; return outputs and API."""
    outputs = apply()
    with steps.working(lambda: "starts the metrics API"):
        list(lake_tables.create(outputs["lake_database"]))
        api = metrics_api.current()
        sending = {"INGEST_URL": emulator.ingest_url(outputs), "TEST_STREAM": outputs["raw_stream_name"]}
        api.start({**outputs["metrics_api_environment"], **environment, **sending})
    steps.say(f"Metrics API at {api.address}")
    return outputs, api


def update() -> None:
    """Bring changed schemas and functions to the platform that runs, without a new game."""
    environment = emulator.local_environment()
    if wrong := schemas.findings(REPOSITORY):
        raise CommandError("\n  ".join(("the schemas are not right:", *wrong)))
    for name in schemas.generate(REPOSITORY):
        steps.say(f"Written: {name}")
    with steps.working(lambda: "builds the functions' packages"):
        build.build("local")
    os.environ.update(environment)
    outputs, _ = bring(environment)
    steps.say(f"Events are judged by the new schemas: {emulator.ingest_url(outputs)}/v1/events")


def apply() -> dict[str, Any]:
    """Apply the local environment and return its outputs. Raises CommandError with Terraform's words."""
    directory = infrastructure.root("local")
    infrastructure.initialise(directory)
    applying = Apply()
    try:
        with steps.working(lambda: applying.progress):
            applying.run(directory)
            outputs = infrastructure.outputs("local")
    except CommandError as error:
        raise CommandError(f"{error}\nTo begin anew: `make down`, then `make demo`") from None
    steps.say(f"Applied infrastructure/environments/local: {applying.changed} changes")
    return outputs


def _start_realtime(outputs: dict[str, Any], endpoint: str) -> None:
    """Start the Flink job beside the game, or say why it cannot."""
    try:
        realtime.RealtimeJob().launch(outputs["realtime_analytics"]["application_properties"], endpoint)
    except CommandError as error:
        steps.say(f"Real-time windows are off: {error}")
        return
    steps.say("Flink job starts; its windows appear on the page when it runs")


def _compute_history(engines: Installation, outputs: dict[str, Any], game: str, truth: Truth) -> None:
    """Run the Spark job over the lake and hold its figures against what was sent, or say why not."""
    if missing := engines.wait("batch", steps):
        steps.say(f"The lake's history is off: {missing}")
        return
    with steps.working(lambda: "Spark computes the history from bronze to gold; its log: .local/spark.log"):
        batch.compute(outputs, *batch.hours(outputs["lake_bucket"]))
        gold.use(outputs, local=True)
        seen = history.figures(game, truth.costs)
    known = history.expected_figures(truth, datetime.now(UTC).date())
    simulate.compare(f"{game}, as the lake tells it", seen, known)


def _judge_quality(outputs: dict[str, Any], game: str) -> None:
    with steps.working(lambda: "judges the quality of the data"):
        judged = quality.evaluate_now(outputs)[game]
    verdicts = Counter(check.verdict for check in judged)
    steps.say(f"Data quality: {', '.join(f'{n} {verdict}' for verdict, n in verdicts.items())}")
    for check in judged:
        if check.verdict == "fail":
            console.print(f"  {check.name}: {check.message}")


def _say_what_next(outputs: dict[str, Any], api: metrics_api.MetricsApi, game: str) -> None:
    console.print(
        f"\nEvery figure is what the simulator sent. It took {steps.seconds:.0f} s.\n\n"
        f"Look\n"
        f"  The game live      {api.address}/?game={game}\n"
        f"                     ({LIVE_PLAYERS} players go on for {LIVE_MINUTES} minutes)\n"
        f"  Its history        {api.address}/overview?game={game}\n"
        f"  Single events      {api.address}/explore?game={game}\n"
        f"  The API            {api.address}/docs\n"
        f"  Real-time windows  {REALTIME[realtime.RealtimeJob().state()]}; log: .local/flink/log\n"
        f"Do next\n"
        f"  See events arrive  scripts/tail --game {game}\n"
        f"  Add your own game  scripts/games add my-game --name 'My game'     (prints its key, once)\n"
        f"  Send it an event   GAME_KEY=<the key> scripts/smoke --game my-game\n"
        f"                     or POST to {emulator.ingest_url(outputs)}/v1/events\n"
        f"  Play another game  scripts/simulate\n"
        f"  Read on            docs/getting-started.md\n"
        f"  Stop, delete all   make down",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def stop() -> None:
    """Stop all that a demo started and delete its data."""
    with steps.working(lambda: "stops the players, Flink, the metrics API and the emulator"):
        PLAYERS.stop()
        realtime.RealtimeJob().kill()
        metrics_api.current().stop()
        stopped = emulator.stop()
    print("Stopped." if stopped else "Nothing was running.")


def main() -> None:
    """Start; update with --update; stop with --stop."""
    parser = Arguments(
        prog="scripts/demo",
        description=__doc__,
        examples=(
            "scripts/demo",
            "scripts/demo --players 100 --days 7",
            "scripts/demo --update",
            "scripts/demo --stop",
        ),
    )
    parser.add_argument("--stop", action="store_true", help="stop everything and delete the data")
    parser.add_argument(
        "--update", action="store_true", help="bring changed schemas and functions to the running platform"
    )
    parser.add_argument("--players", type=positive, default=500)
    parser.add_argument("--days", type=positive, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.stop:
        stop()
    elif options.update:
        update()
    else:
        start(options.players, options.days, options.seed)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    run(main)
