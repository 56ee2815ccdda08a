"""The metrics of every engine: one definition of each, read from event-schemas/metrics.json.

A fact is a column of a gold table, or a counter. Every other metric says how it is made of facts, so that
each reader computes it in the same way: a ratio is the sum of its numerators over that of its denominators.
A name that several tables or engines use is defined once, under `shared`. So it cannot mean two things.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DAYS = ("event_date", "cohort_date")
# The value of a dimension in rows of all its values together.
ALL = "*"
# Custom dimensions of a game: the rows of each are of all values of the other dimensions of PLACES.
CUSTOM = ("custom_1", "custom_2")
PLACES = ("platform", "country", "app_version", *CUSTOM)
WITH_TOTALS = (*PLACES, "reason")
# Metrics outside the tables of gold, each with its place in the document.
ENGINES = ("live", "window", "ad_spend")
# What a metric is, wherever it is counted. Its type, counter and dimensions belong to the place.
DEFINITION = {
    "label", "unit", "formula", "signed", "difference", "percentile", "may_be_negative", "description",
    "client_reports",
}  # fmt: skip
# What a metric says that purchases move which no server of the game has confirmed.
CLIENT_REPORTS = "Purchases that only a client reported count too."


@dataclass(frozen=True, slots=True)
class Formula:
    """A ratio of two facts; `complement` is 1 minus it, `at_most_one` bounds it, `scale` multiplies it."""

    numerator: str
    denominator: str
    complement: bool = False
    at_most_one: bool = False
    scale: int = 1

    def value(self, numerator: float, denominator: float) -> float | None:
        """Return the ratio of two sums; None without a denominator."""
        if not denominator:
            return None
        share = self.scale * (numerator / denominator)
        if self.at_most_one:
            share = min(share, 1.0)
        return 1 - share if self.complement else share


@dataclass(frozen=True, slots=True)
class Signed:
    """A sum of one fact in which the value of a dimension decides the sign."""

    fact: str
    by: str
    signs: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact less another, such as net revenue."""

    of: str
    less: str


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of a table.

    `adds_over` names the dimensions whose rows may be added up. A fact without any is a count of unique
    players, or a percentile: each row stands alone.
    """

    name: str
    label: str
    unit: str
    description: str
    adds_over: tuple[str, ...] = ()
    formula: Formula | None = None
    signed: Signed | None = None
    difference: Difference | None = None
    percentile: bool = False
    may_be_negative: bool = False
    # What a fact is called in the counters of an engine; {currency} or {name} stands for one.
    counter: str = ""
    # How many of the counter make one of the unit.
    counter_scale: int = 1
    # The facts that it is made of, itself where it is one.
    facts: tuple["Metric", ...] = ()

    @property
    def is_derived(self) -> bool:
        """Tell whether it is computed from facts where it is read."""
        return any((self.formula, self.signed, self.difference))

    def of(self, counts: Mapping[str, float], name: str = "") -> float | None:
        """Return the metric of counters, which may be sums over days; None without a denominator.

        `name` is the currency, or another name, that the counters of the metric are kept by.
        """
        if self.difference:
            whole, less = (fact.of(counts, name) or 0 for fact in self.facts)
            return whole - less
        if not self.formula:
            count = counts.get((self.counter or self.name).format(currency=name, name=name), 0)
            return count if self.counter_scale == 1 else count / self.counter_scale
        top, bottom = (fact.of(counts, name) or 0 for fact in self.facts)
        return self.formula.value(top, bottom)

    def not_added_over(self, columns: Iterable[str]) -> list[str]:
        """Return those of some dimensions whose rows must not be added up to one figure of the metric.

        A ratio over several days is the sum of their numerators over the sum of their denominators: ARPDAU
        of a week is its revenue over its player-days.
        """
        apart = {self.signed.by} if self.signed else set()
        if self.formula:
            apart |= {"event_date"}
        return [
            column
            for column in columns
            if column not in apart and not all(column in fact.adds_over for fact in self.facts or (self,))
        ]

    def sql(self) -> str:
        """Return the metric over any rows in SQL, for Athena and DuckDB.

        Raises ValueError for what no sum gives: a percentile, a count of unique players.
        """
        if self.signed:
            cases = " ".join(
                f"WHEN {self.signed.by} = '{value}' THEN {'-' if sign < 0 else ''}{self.signed.fact}"
                for value, sign in self.signed.signs.items()
            )
            return f"sum(CASE {cases} END)"
        if not self.formula:
            if not self.adds_over:
                raise ValueError(f"{self.name} does not add up: show its rows")
            return f"sum({self.name})"
        top, bottom = self.formula.numerator, self.formula.denominator
        # The sums are bounded, and not the ratio: least() of a ratio without a denominator is 1 in DuckDB.
        above = f"least(sum({top}), sum({bottom}))" if self.formula.at_most_one else f"sum({top})"
        share = f"CAST({above} AS double) / nullif(sum({bottom}), 0)"
        if self.formula.scale != 1:
            share = f"{self.formula.scale} * ({share})"
        return f"1 - {share}" if self.formula.complement else share


@dataclass(frozen=True, slots=True)
class Table:
    """A gold table: what a row stands for, the type of each column, and the metrics."""

    name: str
    description: str
    grain: tuple[str, ...]
    types: Mapping[str, str]
    labels: Mapping[str, str]
    metrics: Mapping[str, Metric]
    # Predicates in SQL of rows that cannot be right.
    wrong_where: tuple[str, ...]

    @property
    def day_column(self) -> str:
        """Return the column that says the day."""
        return next(name for name in self.grain if name in DAYS)

    @property
    def with_totals(self) -> tuple[str, ...]:
        """Return the columns that have a row of all beside those of each value: those are never added up."""
        return tuple(name for name in self.grain if name in WITH_TOTALS)

    @property
    def everywhere(self) -> dict[str, str]:
        """Return the columns of places, and what rows of all platforms, countries and so on have there."""
        return {name: ALL for name in self.with_totals if name in PLACES}


def resolve(written: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model with the shared definitions filled in where a table or an engine uses them.

    Raises ValueError where a name of several places is not shared, or is defined again.
    """
    shared = written["shared"]
    tables = {
        name: {
            key: _defined(part, shared) if key in ("columns", "derived") else part
            for key, part in one.items()
        }
        for name, one in written["tables"].items()
    }
    engines = {
        name: written[name] | {"metrics": _defined(written[name]["metrics"], shared)} for name in ENGINES
    }
    places = Counter(
        name
        for one in tables.values()
        for name in (one["columns"] | one.get("derived", {})).keys() - set(one["grain"])
    )
    places.update(name for engine in engines.values() for name in engine["metrics"])
    if twice := {name for name, number in places.items() if number > 1} - shared.keys():
        raise ValueError(f"{', '.join(sorted(twice))}: define it once, under shared, or give it two names")
    if once := shared.keys() - {name for name, number in places.items() if number > 1}:
        raise ValueError(f"{', '.join(sorted(once))}: shared by nothing, define it where it is used")
    for one in tables.values():
        _tell_client_reports(one["columns"] | one.get("derived", {}))
    for engine in engines.values():
        _tell_client_reports(engine["metrics"])
    rest = {name: part for name, part in written.items() if name != "shared"}
    return rest | {"tables": tables} | engines


def _defined(metrics: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    for name in metrics.keys() & shared.keys():
        if again := DEFINITION & metrics[name].keys():
            raise ValueError(f"{name} is shared: write its {', '.join(sorted(again))} there, or rename it")
    return {name: shared.get(name, {}) | one for name, one in metrics.items()}


def _tell_client_reports(metrics: Mapping[str, Any]) -> None:
    """Add to each description that what a client alone reports counts: of the facts, and what they make."""
    for name, one in metrics.items():
        parts = (one.get("formula") or one.get("difference") or {}).values()
        # Its own share of revenue is what tells them apart.
        made_of = [metrics[part] for part in parts if part in metrics]
        told = one.get("client_reports") or any(part.get("client_reports") for part in made_of)
        if told and "unverified" not in name:
            one["description"] += f" {CLIENT_REPORTS}"


def parse(document: Mapping[str, Any]) -> dict[str, Table]:
    """Return the tables of a document like event-schemas/metrics.json, by name."""
    return {name: _table(name, table) for name, table in document["tables"].items()}


def parse_engine(engine: Mapping[str, Any]) -> dict[str, Metric]:
    """Return the metrics of an engine that keeps counters."""
    derived = "formula", "difference"
    facts = {
        name: _metric(name, one)
        for name, one in engine["metrics"].items()
        if not any(key in one for key in derived)
    }
    return {name: facts.get(name) or _metric(name, one, facts) for name, one in engine["metrics"].items()}


@cache
def document() -> dict[str, Any]:
    """Return the model: packaged beside this module, else the checkout's own."""
    packaged = Path(__file__).parent / "schemas" / "metrics.json"
    checkout = Path(__file__).parents[4] / "event-schemas" / "metrics.json"
    return resolve(json.loads((packaged if packaged.is_file() else checkout).read_text()))


@cache
def tables() -> dict[str, Table]:
    """Return the gold tables."""
    return parse(document())


@cache
def live() -> dict[str, Metric]:
    """Return the metrics of the live counters."""
    return parse_engine(document()["live"])


@cache
def window() -> dict[str, Metric]:
    """Return the metrics of the stream job's windows."""
    return parse_engine(document()["window"])


@cache
def ad_spend() -> dict[str, Metric]:
    """Return the metrics of uploaded costs beside gold."""
    return parse_engine(document()["ad_spend"])


def _table(name: str, table: Mapping[str, Any]) -> Table:
    columns, grain = table["columns"], tuple(table["grain"])
    facts = {
        column: _metric(column, one)
        for column, one in columns.items()
        if column not in grain and "formula" not in one
    }
    derived = {
        column: _metric(column, one, facts)
        for column, one in (columns | table.get("derived", {})).items()
        if column not in grain and column not in facts
    }
    every = columns | table.get("derived", {})
    return Table(
        name,
        table["description"],
        grain,
        {column: one["type"] for column, one in columns.items()},
        {column: one["label"] for column, one in every.items()},
        {column: facts.get(column) or derived[column] for column in every if column not in grain},
        tuple(table.get("wrong_where", ())),
    )


def _metric(name: str, one: Mapping[str, Any], facts: Mapping[str, Metric] | None = None) -> Metric:
    formula = Formula(**one["formula"]) if "formula" in one else None
    signed = Signed(**one["signed"]) if "signed" in one else None
    difference = Difference(**one["difference"]) if "difference" in one else None
    parts: tuple[str, ...] = ()
    if difference:
        parts = difference.of, difference.less
    elif formula:
        parts = formula.numerator, formula.denominator
    elif signed:
        parts = (signed.fact,)
    return Metric(
        name,
        one["label"],
        one["unit"],
        one["description"],
        tuple(one.get("adds_over", ())),
        formula,
        signed,
        difference,
        one.get("percentile", False),
        one.get("may_be_negative", False),
        one.get("counter", ""),
        one.get("counter_scale", 1),
        tuple((facts or {})[part] for part in parts),
    )
