"""Write docs/metrics.md: every metric with its label, unit, definition and how it behaves."""

from collections.abc import Iterator, Mapping
from typing import Any

from telemetry.metric_model import Metric, Table, parse, parse_engine

INTRODUCTION = """# Metrics

Every figure of the platform has one definition. The REST API, the page, the mail, the saved queries of Athena
and the dashboard of QuickSight compute it in the same way. `scripts/schemas generate` writes this page from
[event-schemas/metrics.json](../event-schemas/metrics.json).

Three engines count, and their figures have the same name only where they mean the same:

| Engine | Answers | Read it in |
|---|---|---|
| live | today and the days before, seconds after an event arrives | page, REST API, mail |
| window | the last minutes, about two minutes after they end | page, REST API, alerts |
| history | every day since the first event, after the batch run | Athena, QuickSight, Redshift, notebooks |

How to read the column *Adds up over*:

- A figure with dimensions may be added up over these dimensions, and over no other.
- A figure with *nothing* counts unique players or sessions, or is a percentile. Read its row. The rows with
  `*` in a column hold the figure over all values of that column; leave them out where you add up values.
  Unique players of any days come from the saved query `unique_players`, which counts them in player-days.
- A ratio is computed from sums: the sum of its numerator over the sum of its denominator. Never average a
  ratio. Over several days, a ratio with unique players counts player-days.

Money is in minor units, for example cents. Two currencies are never added.

## What other tools may count differently

- **Days** are UTC days, of every game, in every engine and reader. Weeks begin on Monday, 00:00 UTC. No
  setting changes this: see [Days are UTC days](#days-are-utc-days) before you compare with another tool.
- **Retention** is classic retention by calendar day: day 1 is the UTC day after the install day. A tool
  that counts 24 hours from the install gives other shares.
- **Active players** have any event on the day, also one that a server sent. Events of declared bots count.
- **A session** of the history ends with a pause of more than 30 minutes, and counts on the day it began.
  Purchases alone are no session, because a server may send them. Live figures count `session_start` events
  instead, hence their name `session_starts`. Two players who send one session_id have two sessions.
- **A purchase** counts once for each store and transaction, by its earliest event. Live figures count it
  once for each player who reports it: they are higher where two accounts restore one purchase. Trials and
  purchases in a store's test environment (`sandbox`) are counted apart, and are no revenue. A renewal of a
  subscription is a purchase.
- **Revenue** is gross unless its name says `net`. Who paid stays a payer when the money is paid back.
- **A refund** (or chargeback) counts on its own day, or on the day of its purchase where that is later. It
  has the platform, country, version and player of the purchase. A refund that is reported twice counts once.
  A transaction is paid back at most once: what refunds ask for beyond its amount does not count. A refund is
  no activity of the player. Tools that take refunds off the day of the purchase change past days instead.
- **An unmatched refund** names a transaction that no event reported as a purchase. It changes no figure of
  money, because its currency and its amount are unknown. It is kept, and counts in full once an event reports
  the purchase. The check `refunds` of data quality counts unmatched refunds of the history. The saved query
  `unmatched_refunds` lists those of the last 90 days.
- **Proceeds** are net revenue less tax and store fee. A refund returns tax and fee in proportion, rounded
  half up. Purchases that do not tell their tax or fee count as if there were none.
- **A guest who becomes an account** is one player in the history, once an event `identify` links the two
  ids. The first day, sessions, purchases and everything else of both count to one player, in the past too.
  This holds for every table below *History*; history on the page and in the mail shows these tables. Live
  figures, windows, leaderboards, explore and the facts of the warehouse count ids, so they count such a
  player twice. The first link of a guest counts. One of the two must be new: its first event is at most 30
  days before the link, and for an account its guests' first events count too. An account takes 100 guests.
  A chain of up to three links is followed to its end. An id further from the end, or in a circle, stays as
  it is. A link that does not count leaves two players. The tab Quality tells how many links count and are
  ignored (check `links`). `scripts/report` and the saved query `links` tell the guests and accounts of each
  day. [Why](adr/0029-a-guest-becomes-an-account.md)
- **Experiments** count a player for the variant of the first exposure, from the UTC day of this exposure on.
  The day counts whole: what the player did on it before the exposure counts too, in every variant alike. A
  player of several experiments counts in each. Their design events count from this day on too; a day has the
  20 names of an experiment and depth that most players had sent. [How to read a verdict](experiments.md).
- **Return on ad spend** by day N is the net revenue of purchases and ads by day N, over the cost of the
  installs. It counts install days whose day N is over, and their costs, in one currency. Costs come from
  `scripts/spend upload`. A cost without a campaign is one of the whole source. The cost of a player is the
  cost over the players who installed on the same days.
- **Custom dimensions** are two columns with values that the game declares, at most 20 of each. Other values
  are under `other`, and events or players without one under `unknown`. With the rule `install`, all days of a
  player count by the first value of the first day. With the rule `current`, a row counts by the value of its
  event, so that a player with two values on a day is in both. Cohorts are split by the first value of
  the first day under both rules. Rows of a custom dimension are of all platforms, countries and versions.
  Minutes of the windows have some metrics by value too, with the rule `current` only.
  [Why](adr/0031-custom-dimensions.md)
- **Crash-free** figures count crashes that ended the process (`fatal`).
- **Percentiles** are exact for each row. Percentiles of several rows cannot be averaged: choose the row
  with `*`. For several days, add up the counts of `performance_bins` and read the percentile from the sums.

## Days are UTC days

A day of every figure begins at 00:00 UTC, for all games. Amplitude, Google Analytics and AppsFlyer let a
project choose its time zone. Before you compare with any tool, such as GameAnalytics or Unity Analytics,
look at the time zone that its project has. A studio cannot choose one here.

What this means for a studio elsewhere:

| Studio | A UTC day is, on its clock | An evening at 20:00 counts |
|---|---|---|
| London, winter | 00:00 to 24:00 | on the same day |
| Tokyo (UTC+9) | 09:00 to 09:00 of the next day | on the same day; 02:00 at night, on the day before |
| San Francisco, winter (UTC-8) | 16:00 of the day before to 16:00 | on the next day: Saturday's on Sunday |

- **Single days differ** from those of a tool with local days, most for the Americas and for sales that
  begin at local midnight. Sums over weeks and months differ by their first and last hours alone.
- **Unique players of a day differ** in both directions: one evening may lie in one day here and in two
  there.
- **Day 1 of retention differs**: who installs shortly before 00:00 UTC and plays on after it is retained on
  day 1. Explore measures retention in spans of 24 hours from the install (`unit: 24h`), which no time zone
  changes.
- **Install days, lifetime value, experiments and costs of advertising** use UTC days too. Ad networks
  report costs in the time zone of the account: set it to UTC there before you upload costs.
- **Levels change little, so trends hold.** Compare two tools over 28 days or more, and never day by day.

What to read where hours matter:

- The tab Live shows players and events by minute on the clock of the browser. Each other time says its
  zone.
- The REST API answers `/live` by minute and `/realtime` by windows of one and five minutes. Their times are
  UTC.
- The saved query `local_days` of Athena counts players and events by day of any time zone. It says how to
  count by hour. Its clock is `corrected_time` of each event.
- [Explore](explore.md) has no hours. A notebook can group the events of silver by hours, as `local_days`
  does.
"""
UNITS = {
    "count": "count",
    "measure": "unit of the measure",
    "micros": "millionths of the unit",
    "minor": "minor units",
    "players": "players",
    "ratio": "ratio",
    "seconds": "seconds",
    "share": "share (1 is 100 %)",
    "units": "units of the currency",
}


def dictionary(document: Mapping[str, Any]) -> str:
    """Return the data dictionary of a document like event-schemas/metrics.json, as Markdown."""
    lines = [INTRODUCTION]
    for title, engine in (("Live", "live"), ("Windows", "window")):
        lines += [f"## {title}", "", document[engine]["description"], ""]
        lines += [*_rows(parse_engine(document[engine])), ""]
    lines += ["## History", "", document["description"], ""]
    for table in parse(document).values():
        lines += [*_table(table, document["tables"][table.name]["columns"]), ""]
    lines += ["## Return on ad spend", "", document["ad_spend"]["description"], ""]
    lines += [*_rows(parse_engine(document["ad_spend"])), ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(table: Table, columns: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"### {table.name}", "", table.description, "")
    yield "A row for each: " + ", ".join(f"`{name}`" for name in table.grain) + "."
    yield ""
    yield "| Dimension | Meaning |"
    yield "|---|---|"
    for name in table.grain:
        yield f"| `{name}` | {_quoted(columns[name]['description'])} |"
    yield ""
    yield from _rows(table.metrics)


def _rows(metrics: Mapping[str, Metric]) -> Iterator[str]:
    yield "| Metric | Name | Unit | Adds up over | Definition |"
    yield "|---|---|---|---|---|"
    for metric in metrics.values():
        yield (
            f"| {metric.label} | `{metric.name}` | {UNITS[metric.unit]} | {_behaviour(metric)} | "
            f"{_quoted(metric.description)} |"
        )


def _behaviour(metric: Metric) -> str:
    if metric.formula:
        return f"sum of `{metric.formula.numerator}` / sum of `{metric.formula.denominator}`"
    if metric.difference:
        return f"`{metric.difference.of}` - `{metric.difference.less}`"
    facts = metric.facts or (metric,)
    return ", ".join(facts[0].adds_over) or "nothing"


def _quoted(text: str) -> str:
    """Return a text whose asterisks Markdown does not read as emphasis."""
    return text.replace(" * ", " `*` ")
