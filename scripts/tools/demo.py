"""Run the whole platform on this machine and play a simulated game through it."""

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import httpx
from rich.console import Console

from tools import (
    REPOSITORY,
    CommandError,
    batch,
    build,
    emulator,
    gold,
    history,
    infrastructure,
    jars,
    lake_tables,
    metrics_api,
    positive,
    quality,
    realtime,
    run,
    schemas,
    simulate,
)
from tools.background import Background
from tools.engine import EngineMissing
from tools.simulation import Truth

LIVE_PLAYERS, LIVE_MINUTES = 60, 30
PLAYERS = Background(REPOSITORY / ".local" / "players")

# What the state of the Flink job means to the person who looks at the page.
REALTIME = {
    "running": "about two minutes behind the game",
    "starting": "not yet: the Flink job still starts",
    "ended": "off: the Flink job does not run",
}

console = Console()


def start(players: int, days: int, seed: int) -> None:
    """Build, start, apply, serve, play; every step can be repeated."""
    began = time.monotonic()
    infrastructure.require_terraform()
    _step("Building the functions' packages")
    build.build("local")
    running = emulator.start()
    _step(f"Emulator at {running.endpoint}, IAM enforced; its log: .local/emulator/log")
    os.environ.update(running.environment)
    _step("terraform apply of infrastructure/environments/local (about a minute the first time)")
    outputs, api = bring(running.environment)
    _start_realtime(outputs["realtime_analytics"]["application_properties"], running.endpoint)
    game, key = simulate.new_game(outputs)
    _step(f"Playing {game}: {players} players over {days} days")
    with httpx.Client(base_url=api.address, timeout=30) as client:
        truth = simulate.play(simulate.Platform(outputs, client), game, key, players, days, seed)
    _compute_history(outputs, game, truth)
    judged = quality.evaluate_now(outputs)[game]
    verdicts = Counter(check.verdict for check in judged)
    _step(f"Data quality judged: {', '.join(f'{n} {verdict}' for verdict, n in verdicts.items())}")
    for check in judged:
        if check.verdict == "fail":
            console.print(f"  {check.name}: {check.message}")
    who = ("--game", game, "--players", str(LIVE_PLAYERS))
    PLAYERS.start("-m", "tools.simulate", "--live", str(LIVE_MINUTES), *who)
    console.print(
        f"\nEvery figure is what the simulator sent. It took {time.monotonic() - began:.0f} s.\n"
        f"  This game live    {api.address}/?game={game} ({LIVE_PLAYERS} play on)\n"
        f"  The API           {api.address}/docs\n"
        f"  Send events to    {emulator.ingest_url(outputs)}/v1/events (a key: scripts/games rotate {game})\n"
        f"  Play again        scripts/simulate\n"
        f"  Real-time windows {REALTIME[realtime.RealtimeJob().state()]}; log: .local/flink/log\n"
        f"  Stop everything   make down",
        highlight=False,
        soft_wrap=True,
    )


def bring(environment: dict[str, str]) -> tuple[dict[str, Any], metrics_api.MetricsApi]:
    """Bring this checkout to the running emulator, and start the metrics API anew; return outputs and API."""
    outputs = apply()
    list(lake_tables.create(outputs["lake_database"]))
    api = metrics_api.current()
    sending = {"INGEST_URL": emulator.ingest_url(outputs), "TEST_STREAM": outputs["raw_stream_name"]}
    api.start({**outputs["metrics_api_environment"], **environment, **sending})
    _step(f"Metrics API at {api.address}")
    return outputs, api


def update() -> None:
    """Bring changed schemas and functions to the platform that runs, without a new game."""
    environment = emulator.local_environment()
    if wrong := schemas.findings(REPOSITORY):
        raise CommandError("\n  ".join(("the schemas are not right:", *wrong)))
    for name in schemas.generate(REPOSITORY):
        _step(f"Written: {name}")
    _step("Building the functions' packages")
    build.build("local")
    os.environ.update(environment)
    _step("terraform apply of infrastructure/environments/local")
    outputs, _ = bring(environment)
    _step(f"Events are judged by the new schemas: {emulator.ingest_url(outputs)}/v1/events")


def apply() -> dict[str, Any]:
    """Apply the local environment and return its outputs. Raises CommandError with Terraform's words."""
    directory = infrastructure.root("local")
    infrastructure.initialise(directory)
    command = ["terraform", "apply", "-auto-approve", "-input=false", "-no-color", "-compact-warnings"]
    answer = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **infrastructure.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise CommandError(f"terraform apply failed:\n{answer.stderr.strip()}")
    return infrastructure.outputs("local")


def _start_realtime(groups: realtime.Groups, endpoint: str) -> None:
    """Start the Flink job beside the game, or say why the page will be without its windows."""
    try:
        realtime.install()
    except EngineMissing as missing:
        _step(f"Real-time windows are off: {missing}")
        return
    realtime.RealtimeJob().launch(groups, endpoint)
    _step("Flink job starts beside the game; its windows appear on the page when it runs")


def _compute_history(outputs: dict[str, Any], game: str, truth: Truth) -> None:
    """Run the Spark job over the lake and hold its figures against what was sent, or say why not."""
    try:
        batch.install()
    except (EngineMissing, jars.JarsMissing) as missing:
        _step(f"The lake's history is off: {missing}")
        return
    _step("Spark job from bronze to gold (about half a minute); its log: .local/spark.log")
    batch.compute(outputs, *batch.hours(outputs["lake_bucket"]))
    gold.use(outputs, local=True)
    seen = history.figures(game)
    known = history.expected_figures(truth, datetime.now(UTC).date())
    simulate.compare(f"{game}, as the lake tells it", seen, known)


def stop() -> None:
    """Stop all that a demo started and delete its data."""
    PLAYERS.stop()
    realtime.RealtimeJob().kill()
    metrics_api.current().stop()
    stopped = emulator.stop()
    print("Stopped." if stopped else "Nothing was running.")


def _step(text: str) -> None:
    console.print(f"[bold]▸[/bold] {text}", highlight=False, soft_wrap=True)


def main() -> None:
    """Start; update with --update; stop with --stop."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
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
