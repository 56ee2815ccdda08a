"""Draws docs/images/*.svg from docs/benchmarks.json, in colours that light and dark pages both show."""

import json
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from measured import RESULTS

IMAGES = RESULTS.parent / "images"
INK = "#767c85"
FIRST, SECOND, THIRD = "#3987e5", "#d97706", "#0f9d76"
STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.figsize": (7, 2.9),
    "font.size": 9,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "the same each time",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
Values = dict[str, Any]


def processor_speed(axes: Axes, rates: Values) -> None:
    """Draw events a second beside what bounds and replaces the processor."""
    names = list(rates)[::-1]
    middles = [rates[name][0] for name in names]
    off = [
        [rates[name][0] - rates[name][1] for name in names],
        [rates[name][2] - rates[name][0] for name in names],
    ]
    colours = [FIRST if name == "processor" else INK for name in names]
    axes.barh(names, middles, xerr=off, color=colours, ecolor=SECOND, height=0.65)
    for place, value in enumerate(middles):
        axes.annotate(f"{value:,.0f}", (value, place), (6, 0), textcoords="offset points", va="center")
    axes.set_xscale("log")
    axes.set_xlim(5_000, 4_000_000)
    axes.set_title("Events a second on one core (logarithmic)")


def ingest_rest_api(axes: Axes, rates: Values) -> None:
    """Draw events a second by events a request."""
    for name, label, colour in (("idle", "a handler that does nothing", INK), ("ingest", "ingest", FIRST)):
        axes.plot(list(rates), [found[name][0] for found in rates.values()], "o-", color=colour, label=label)
    axes.set_yscale("log")
    axes.set_xlabel("events a request")
    axes.set_title("The REST API: events a second on one core (logarithmic)")


def latency(axes: Axes, paths: Values) -> None:
    """Draw the seconds from sending to each stage, p50 and up to p99, for each path."""
    stages = list(paths["REST"])[::-1]
    for row, (path, colour) in enumerate((("stream", SECOND), ("REST", FIRST))):
        for place, stage in enumerate(stages):
            p50, _, p99 = paths[path][stage]
            at = place + 0.3 * row - 0.15
            axes.plot([p50, p99], [at, at], "-", color=colour, linewidth=5, alpha=0.4, solid_capstyle="butt")
            axes.plot(p50, at, "o", color=colour, label=path if place == 0 else None)
    axes.set_yticks(range(len(stages)), stages)
    axes.set_xlim(left=0)
    axes.set_title("Seconds from sending, on the emulator: p50 (dot) to p99")


def cold_start(axes: Axes, functions: Values) -> None:
    """Draw the milliseconds of imports."""
    names = list(functions)[::-1]
    boto3, own = ([functions[name][part][0] for name in names] for part in ("boto3", "own"))
    axes.barh(names, boto3, color=INK, label="boto3", height=0.65)
    axes.barh(names, own, left=boto3, color=FIRST, label="all else", height=0.65)
    axes.set_title("Imports of a cold start, ms of CPU")


def player_state_writes(axes: Axes, units: Values) -> None:
    """Draw write units an event by how many of a player come together."""
    together = list(units)
    below = [0.0] * len(together)
    tables = ("players", "game_days", "leaderboards", "by_rank")
    for table, colour in zip(tables, (FIRST, SECOND, THIRD, INK), strict=True):
        values = [units[count][table] for count in together]
        axes.bar(together, values, bottom=below, color=colour, label=table, width=0.65)
        below = [low + value for low, value in zip(below, values, strict=True)]
    axes.set_xlabel("events of a player in a batch of 50 players")
    axes.set_title("DynamoDB write units an event")


def leaderboard_reads(axes: Axes, reads: Values) -> None:
    """Draw p50 and p99 by players on the board."""
    for (name, times), colour in zip(reads.items(), (FIRST, SECOND, THIRD), strict=True):
        players = [f"{int(count):,}" for count in times]
        axes.plot(players, [p50 for p50, _ in times.values()], "o-", color=colour, label=f"{name}, p50")
        axes.plot(players, [p99 for _, p99 in times.values()], "o:", color=colour, label=f"{name}, p99")
    axes.set_yscale("log")
    axes.set_xlabel("players")
    axes.set_title("Reads of a leaderboard, ms (logarithmic)")


def main() -> None:
    """Draw all that was measured."""
    plots: tuple[Callable[[Axes, Values], None], ...] = (
        processor_speed,
        ingest_rest_api,
        latency,
        cold_start,
        player_state_writes,
        leaderboard_reads,
    )
    results = json.loads(RESULTS.read_text())
    IMAGES.mkdir(exist_ok=True)
    mpl.rcParams.update(STYLE)
    for plot in plots:
        if plot.__name__ not in results:
            continue
        figure, axes = plt.subplots(layout="constrained")
        plot(axes, results[plot.__name__]["values"])
        if axes.get_legend_handles_labels()[1]:
            axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        figure.savefig(IMAGES / f"{plot.__name__}.svg", metadata={"Date": None})
        plt.close(figure)


if __name__ == "__main__":
    main()
