"""What gold says of a game and period, for scripts/report and scripts/quality: read by tools.gold."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pandas as pd
from scheduled_reports.figures import Period
from scheduled_reports.sections import Row, Section
from telemetry import experiments, metric_model
from telemetry.capped_names import LABEL
from telemetry.dimensions import NOTHING, Declared
from telemetry.metric_model import ALL, CUSTOM, Metric, Table

from tools import gold

SHOWN = 20
# Cohorts whose lifetime value is shown, and on which days after the install.
COHORT_DAYS, LTV_DAYS = 90, (0, 1, 7, 30)
MONEY = ("minor", "micros")


@dataclass(frozen=True, slots=True)
class Question:
    """Metrics of a gold table by one column: the largest values by a fact, and the rest as `other`.

    `apart` makes a section of each of its values. `label` stands above the column instead of the table's.
    """

    title: str
    table: str
    by: str
    metrics: tuple[str, ...]
    apart: str = ""
    largest: str = ""
    only: tuple[tuple[str, str], ...] = ()
    label: str = ""


QUESTIONS = (
    Question(
        "History of players", "daily", "event_date",
        ("active_players", "new_players", "returning_players", "resurrected_players", "sessions",
         "session_seconds_mean", "session_seconds_median"),
    ),
    Question("History of payers", "daily", "event_date", ("payers", "first_time_payers", "payer_conversion")),
    Question(
        "History of revenue", "revenue", "event_date",
        ("purchases", "currency_payers", "gross_minor", "unverified_minor_share", "refunded_minor",
         "net_minor", "arpdau_minor", "arppu_minor", "arpu_minor"),
        "currency",
    ),
    Question(
        "Lifetime value", "lifetime_value", "day_number", ("cohort_players", "ltv_minor", "net_ltv_minor"),
        "currency",
    ),
    Question(
        "History of ads", "ads", "network",
        ("impressions", "completed_share", "revenue_micros", "ecpm_micros"), "currency", "impressions",
    ),
    Question(
        "History of design events", "design", "name", ("design_events", "players", "value_sum", "value_mean"),
        largest="design_events", only=(("depth", "1"),),
    ),
)  # fmt: skip

# What is shown by each custom dimension that the game declares.
BY_DIMENSION = (
    Question(
        "Players by", "daily", "",
        ("active_players", "new_players", "sessions", "session_seconds_mean", "payers", "payer_conversion"),
    ),
    Question(
        "Revenue by", "revenue", "",
        ("purchases", "gross_minor", "refunded_minor", "net_minor", "arpdau_minor"), "currency",
    ),
)  # fmt: skip

# Of the saved query `links`: the columns that are shown, with their labels and units.
LINKS = (
    ("linked_guests", "Guests", "count"),
    ("linked_accounts", "Accounts", "count"),
    ("ignored_links", "Ignored links", "count"),
)

# What a reader must know of a metric that variants are compared by.
BESIDE = {"exposed_net_mean_minor": "exposed_unverified_share", "exposed_value_mean": "exposed_event_value"}
# A name has figures of a metric where its players have some of this fact. Values of names that are shown as
# one may have different units.
COUNTED = {"exposed_value_mean": "exposed_valued_events"}
# An experiment is shown while its last exposures are no older, so that their day 30 is seen.
RUNNING_DAYS = 38


# The intended shares of variants, by experiment.
Shares = Mapping[str, Mapping[str, float]]


def sections(
    game_id: str, period: Period, shares: Shares | None = None, declared: Declared = NOTHING
) -> list[Section]:
    """Return the tables of the period that have rows. Raises CommandError where gold cannot be read."""
    questions = [*QUESTIONS, *_by_dimension(declared)]
    found = [section for question in questions for section in _sections(question, game_id, period)]
    found += _links(game_id, period)
    return found + [
        section
        for table, metric, numbers in experiments.COMPARED
        for section in _experiments(
            metric_model.tables()[table], metric, numbers, game_id, period, shares or {}
        )
    ]


def _by_dimension(declared: Declared) -> Iterable[Question]:
    for slot, one in declared.slots.items():
        for question in BY_DIMENSION:
            yield replace(question, title=f"{question.title} {one.name}", by=CUSTOM[slot - 1], label=one.name)


def _links(game_id: str, period: Period) -> Iterable[Section]:
    """Yield the guests who became accounts by day, where there are some. The saved query knows 90 days."""
    frame = gold.answer("links", game_id)
    rows: list[Row] = [
        (str(day)[:10], tuple(float(row[name]) for name, *_ in LINKS))
        for row in frame.sort_values("event_date").to_dict("records")
        if (day := row["event_date"]) and str(period.days[0]) <= str(day)[:10] <= str(period.last)
    ]
    if rows:
        yield Section(
            "Guests who became accounts", "Day", tuple((label, unit) for _, label, unit in LINKS), rows
        )


def days(game_id: str, first: date) -> dict[str, dict[str, int]]:
    """Return gold's figures of each day from a first one on, as player_state names them.

    Raises CommandError where gold cannot be read.
    """
    found: dict[str, dict[str, int]] = {}
    for table, column, name, only in (
        ("daily", "active_players", "active_players", {}),
        ("daily", "new_players", "new_players", {}),
        ("revenue", "gross_minor", "revenue_{currency}", {}),
        ("ads", "impressions", "events_ad_impression", {}),
        ("design", "design_events", "events_design", {"depth": "1"}),
    ):
        everywhere = metric_model.tables()[table].everywhere
        for row in gold.table(table, game_id, **everywhere, **only).to_dict("records"):
            if row["event_date"] >= first:
                figures = found.setdefault(str(row["event_date"]), {})
                figure = name.format(**row)
                figures[figure] = figures.get(figure, 0) + int(row[column])
    return found


def _sections(question: Question, game_id: str, period: Period) -> Iterable[Section]:
    table = metric_model.tables()[question.table]
    metrics = [table.metrics[name] for name in question.metrics]
    frame = _answer(question, table, metrics, game_id, period)
    for value in sorted(set(frame[question.apart])) if question.apart else [""]:
        rows = frame[frame[question.apart] == value] if question.apart else frame
        shown = [
            metric
            for metric in metrics
            # Impressions without a currency have no money, and what does not add up has no figure.
            if (value or metric.unit not in MONEY) and rows[metric.name].notna().any()
        ]
        columns = tuple(
            (metric.label, f"{value} {metric.unit}" if metric.unit in MONEY else metric.unit)
            for metric in shown
        )
        title = f"{question.title}: {value}" if value else question.title
        if len(rows):
            label = question.label or table.labels[question.by]
            yield Section(title, label, columns, list(_rows(question, rows, shown)))


def _experiments(
    table: Table, name: str, numbers: Sequence[int], game_id: str, period: Period, shares: Shares
) -> Iterable[Section]:
    """Yield a section for each day after the exposure, and currency: the variants of all experiments."""
    metric = table.metrics[name]
    beside = table.metrics[BESIDE[name]] if name in BESIDE else None
    facts = sorted(
        {fact.name for one in (metric, beside) if one for fact in one.facts}
        | {experiments.SQUARES.get(name, "exposed_players"), COUNTED.get(name, "exposed_players")}
    )
    sums = ", ".join(f"sum({fact}) AS {fact}" for fact in facts)
    currency = "currency" if "currency" in table.grain else "'' AS currency"
    event, only = ("name", "depth = '1'") if "name" in table.grain else ("'' AS name", "TRUE")
    rows = gold.sql(
        f"""
        SELECT day_number, {currency}, experiment, {event}, variant, {sums}
        FROM {table.name} AS e
        WHERE game_id = ? AND {only} AND event_date <= CAST(? AS date)
          AND day_number IN ({", ".join(map(str, numbers))})
          AND EXISTS (
            SELECT 1 FROM {table.name} AS r
            WHERE r.game_id = e.game_id AND r.experiment = e.experiment
              AND r.exposure_date BETWEEN CAST(? AS date) AND CAST(? AS date)
          )
        GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        """,  # noqa: S608 - names of the model
        game_id,
        str(period.last),
        str(period.last - timedelta(days=RUNNING_DAYS - 1)),
        str(period.last),
    )
    for (number, money), frame in rows.groupby(["day_number", "currency"]):
        unit = f"{money} {metric.unit}" if money else metric.unit
        title = f"Experiments, day {number}: {metric.label}" + (f", {money}" if money else "")
        columns = (
            ("Exposed players", "players"), (metric.label, unit), ("Difference", unit),
            ("At least", unit), ("At most", unit), *([(beside.label, beside.unit)] if beside else []),
        )  # fmt: skip
        subject = "experiment, event, variant" if "name" in table.grain else "experiment, variant"
        found = list(_variants(metric, beside, _counted(name, frame), shares))
        if found:
            yield Section(title, subject, columns, found)


def _counted(metric: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of names that a metric has figures of."""
    if metric not in COUNTED:
        return frame
    some = frame.groupby(["experiment", "name"])[COUNTED[metric]].transform("sum") > 0
    return frame[some & (frame["name"] != LABEL)]


def _variants(metric: Metric, beside: Metric | None, frame: pd.DataFrame, shares: Shares) -> Iterable[Row]:
    """Yield the control of each experiment and event, and each other variant with its verdict."""
    events = frame.groupby("experiment")["name"].nunique()
    for (experiment, event), rows in frame.groupby(["experiment", "name"]):
        variants = {str(row["variant"]): row for row in rows.to_dict("records")}
        facts = {
            name: {
                fact: float(value) for fact, value in row.items() if fact.startswith(("exposed", "returned"))
            }
            for name, row in variants.items()
        }
        # All events are read, so they share the false alarms of one.
        judged = experiments.judge(metric, facts, shares.get(experiment), events[experiment])
        for name in (judged.control, *judged.comparisons):
            sample = experiments.sample(metric, facts[name])
            found = judged.comparisons.get(name)
            verdict = found.verdict if found else "control"
            shown = (found.difference, *found.always) if found else (None, None, None)
            # Nothing is known of a difference where nobody differs.
            known = (value if value is not None and math.isfinite(value) else None for value in shown)
            told = [beside.of(facts[name])] if beside else []
            yield (
                " ".join(filter(None, (experiment, event, f"{name}: {verdict}"))),
                (sample.players, sample.mean, *known, *told),
            )


def _rows(question: Question, frame: pd.DataFrame, metrics: Sequence[Metric]) -> Iterable[Row]:
    for row in frame.to_dict("records"):
        values = (row[metric.name] for metric in metrics)
        yield _name(row[question.by]), tuple(None if pd.isna(value) else float(value) for value in values)


def _name(value: Any) -> str:
    """Return the name of a row: a day, the number of a day after the install, or a name."""
    if pd.isna(value):
        return LABEL
    return (
        f"{value:%Y-%m-%d}"
        if isinstance(value, date)
        else value
        if isinstance(value, str)
        else f"D{value:.0f}"
    )


def _answer(
    question: Question, table: Table, metrics: Sequence[Metric], game_id: str, period: Period
) -> pd.DataFrame:
    """Return the metrics by the question's columns: the largest first, and the rest has no name."""
    by, apart, last = question.by, [question.apart] if question.apart else [], period.last
    first = last - timedelta(days=COHORT_DAYS - 1) if table.day_column == "cohort_date" else period.days[0]
    equal = {name: value for name, value in table.everywhere.items() if name != by} | dict(question.only)
    where = " AND ".join(f"{name} = '{value}'" for name, value in equal.items())
    if by in table.everywhere:
        where += f" AND {by} <> '{ALL}'"
    if by == "day_number":
        where += f" AND day_number IN ({', '.join(map(str, LTV_DAYS))})"
    fixed = {"game_id", by, *apart, *equal, *([table.day_column] if first == last else [])}
    opened = [column for column in table.grain if column not in fixed]
    chosen = [*apart, f"CASE WHEN place <= {SHOWN} THEN {by} END AS {by}" if question.largest else by]
    chosen += [f"{_sql(metric, opened, question)} AS {metric.name}" for metric in metrics]
    within = f"PARTITION BY {', '.join(apart)} " if apart else ""
    size = (
        f"sum({question.largest}) OVER (PARTITION BY {', '.join([*apart, by])})" if question.largest else "0"
    )
    query = f"""
        SELECT {", ".join(chosen)}
        FROM (
          SELECT *, dense_rank() OVER ({within}ORDER BY size DESC, {by}) AS place
          FROM (
            SELECT *, {size} AS size FROM {table.name}
            WHERE game_id = ? AND {where}
              AND {table.day_column} BETWEEN CAST(? AS date) AND CAST(? AS date)
          ) AS sized
        ) AS placed
        GROUP BY {", ".join(str(number + 1) for number, _ in enumerate([*apart, by]))}
        ORDER BY min(place)
    """  # noqa: S608 - names of the model
    return gold.sql(query, game_id, str(first), str(last))


def _sql(metric: Metric, opened: Sequence[str], question: Question) -> str:
    """Return a metric over the rows of a group; null where it does not add up over them."""
    if metric.not_added_over(opened):
        return "NULL"
    if not metric.is_derived and not metric.adds_over:
        return f"CASE WHEN count(*) = 1 THEN max({metric.name}) END"
    if question.largest and metric.not_added_over([question.by]):
        return f"CASE WHEN count(DISTINCT {question.by}) = 1 THEN {metric.sql()} END"
    return metric.sql()
