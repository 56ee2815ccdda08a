"""Which variant of an experiment is better: differences, their intervals and a verdict.

Facts of the gold tables `experiments`, `experiment_revenue` and `experiment_design` are added up by variant
for one day number and judged here, so that every reader gives the same verdict.

The verdict may be read every day. A test that is made for one look would call one of four experiments without
any difference a success when it is read daily. The test here is a mixture sequential probability ratio test
with a normal prior: R. Johari, P. Koomen, L. Pekelis, D. Walsh, "Peeking at A/B Tests: Why It Matters, and
What to Do about It", KDD 2017. Its interval is the normal-mixture confidence sequence: H. Robbins,
"Statistical Methods Related to the Law of the Iterated Logarithm", Annals of Mathematical Statistics 41
(1970).
Both bound the share of false alarms by `ALPHA`, whenever and however often one looks. The bound is
asymptotic: it needs samples whose mean is about normal, hence `LEAST`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, NamedTuple

from telemetry.metric_model import Metric

ALPHA = 0.05
# Players per variant as unequal as these, or more so, come from equal shares once in a thousand experiments.
RATIO_ALPHA = 0.001
# The standard deviation of effects that the test expects, in standard deviations of a player's value: one
# point of a retention near 20 %. The bound on false alarms holds for any value. A smaller one finds large
# effects later, and a larger one finds small effects later.
EFFECT = 0.025
# A sample counts as many players as would give its sum with equal values. Fewer are not judged.
LEAST = 25
CONTROL = "control"
# The fact that holds the sum of squares. What is not here is a share, whose values are 0 and 1.
SQUARES = {
    "exposed_sessions_mean": "exposed_sessions_squared",
    "exposed_net_mean_minor": "exposed_net_squared",
    "exposed_design_mean": "exposed_design_squared",
    "exposed_value_mean": "exposed_value_squared",
}

# What variants are compared by: a table, a metric, the days after the exposure. Design events are compared by
# the first part of their names.
COMPARED = (
    ("experiments", "exposed_retention", (1, 7, 30)),
    ("experiments", "exposed_conversion", (7, 30)),
    ("experiments", "exposed_sessions_mean", (7, 30)),
    ("experiment_revenue", "exposed_net_mean_minor", (7, 30)),
    ("experiment_design", "exposed_sender_share", (7, 30)),
    ("experiment_design", "exposed_design_mean", (7, 30)),
    ("experiment_design", "exposed_value_mean", (7, 30)),
)

Verdict = Literal["better", "worse", "not conclusive", "too few players", "unequal samples"]


class Sample(NamedTuple):
    """A value of each player of a variant: how many players, the sum and the sum of squares."""

    players: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """Return the mean of a player."""
        return self.total / self.players

    @property
    def variance(self) -> float:
        """Return the variance of a player's value."""
        return max(self.squares / self.players - self.mean**2, 0)

    @property
    def is_large(self) -> bool:
        """Tell whether a mean is about normal: enough players have a value, and enough of a share none."""
        differing = self.players - self.total if self.squares == self.total else math.inf
        counted = self.total**2 / self.squares if self.squares else 0
        return min(counted, differing) >= LEAST


class Interval(NamedTuple):
    """Where a difference lies."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A variant against the control: `difference` is the variant's mean less the control's.

    `once` holds at a single look that was planned before the experiment; `always` holds at every look, and
    `p_value` belongs to it.
    """

    difference: float
    once: Interval
    always: Interval
    p_value: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Result:
    """An experiment's control, its comparisons by variant, and how likely its numbers of players are."""

    control: str
    comparisons: dict[str, Comparison]
    ratio_p_value: float


def facts_of(metric: Metric) -> set[str]:
    """Return the facts that a metric is judged by. Raises ValueError for no mean over exposed players."""
    return {"exposed_players", _total(metric), SQUARES.get(metric.name, _total(metric))}


def are_unequal(players: Mapping[str, float], shares: Mapping[str, float] | None = None) -> bool:
    """Tell whether numbers of players are too far from their shares, equal ones by default, to be chance.

    A variant with a share and without players counts, and one without a share is never as intended.
    """
    intended = shares or dict.fromkeys(players, 1)
    counts = [int(players.get(name, 0)) for name in intended]
    return not players.keys() <= intended.keys() or (
        not any(counts) or sample_ratio(counts, list(intended.values())) < RATIO_ALPHA
    )


def sample(metric: Metric, facts: Mapping[str, float]) -> Sample:
    """Return the sample of a ratio over exposed players, from sums of facts. Raises ValueError for others."""
    total = _total(metric)
    return Sample(int(facts["exposed_players"]), facts[total], facts[SQUARES.get(metric.name, total)])


def _total(metric: Metric) -> str:
    if not metric.formula or metric.formula.denominator != "exposed_players":
        raise ValueError(f"{metric.name} is no mean over exposed players")
    return metric.formula.numerator


def judge(
    metric: Metric,
    variants: Mapping[str, Mapping[str, float]],
    shares: Mapping[str, float] | None = None,
    metrics: int = 1,
) -> Result:
    """Compare each variant with the control by the sums of its facts.

    The control is the variant of that name, else the first in order of names. `shares` are the intended
    shares of players, in any unit, equal ones by default. A variant with a share and without players
    counts, and samples of a variant without a share are unequal ones. Several variants, and several
    `metrics` that are read together, each have their part of `ALPHA` (Bonferroni).
    """
    samples = {name: sample(metric, facts) for name, facts in variants.items()}
    control = CONTROL if CONTROL in samples else min(samples)
    intended = shares or dict.fromkeys(samples, 1)
    players = [samples[name].players if name in samples else 0 for name in intended]
    ratio = sample_ratio(players, list(intended.values())) if any(players) else 0
    others = [name for name in sorted(samples) if name != control]
    alpha = ALPHA / max(len(others) * metrics, 1)
    return Result(
        control,
        {
            name: compare(
                samples[control],
                samples[name],
                metric.name in SQUARES,
                ratio if {control, name} <= intended.keys() else 0,
                alpha,
            )
            for name in others
        },
        ratio,
    )


def compare(control: Sample, other: Sample, is_mean: bool, ratio: float, alpha: float) -> Comparison:
    """Compare two samples; `ratio` is the p-value of their numbers of players."""
    difference = other.mean - control.mean
    p_value = always_valid_p(control, other)
    verdict: Verdict = "better" if difference > 0 else "worse"
    if p_value > alpha:
        verdict = "not conclusive"
    if not (control.is_large and other.is_large):
        verdict = "too few players"
    if ratio < RATIO_ALPHA:
        verdict = "unequal samples"
    once = welch(control, other, alpha) if is_mean else newcombe(control, other, alpha)
    return Comparison(difference, once, always_valid(control, other, alpha), p_value, verdict)


def wilson(one: Sample, alpha: float) -> Interval:
    """Return the interval of a share: E. Wilson, JASA 22, 1927."""
    z, n = _quantile(alpha), one.players
    middle = one.mean + z * z / (2 * n)
    half = z * math.sqrt(one.mean * (1 - one.mean) / n + (z / (2 * n)) ** 2)
    return Interval((middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n))


def newcombe(control: Sample, other: Sample, alpha: float = ALPHA) -> Interval:
    """Return the interval of a difference of shares: R. Newcombe, Statistics in Medicine 17, 1998, no. 10."""
    first, second = wilson(control, alpha), wilson(other, alpha)
    difference = other.mean - control.mean
    return Interval(
        difference - math.hypot(other.mean - second.low, first.high - control.mean),
        difference + math.hypot(second.high - other.mean, control.mean - first.low),
    )


def welch(control: Sample, other: Sample, alpha: float = ALPHA) -> Interval:
    """Return the interval of a difference of means of large samples with variances of their own."""
    half = _quantile(alpha) * math.sqrt(_error(control, other))
    difference = other.mean - control.mean
    return Interval(difference - half, difference + half)


def always_valid(control: Sample, other: Sample, alpha: float = ALPHA) -> Interval:
    """Return the interval of a difference that holds at every look."""
    error, prior = _error(control, other), _prior(control, other)
    difference = other.mean - control.mean
    if not error:
        return Interval(-math.inf, math.inf)
    log = math.log(1 / alpha) + math.log1p(prior / error) / 2
    half = math.sqrt(2 * error * (error + prior) / prior * log)
    return Interval(difference - half, difference + half)


def always_valid_p(control: Sample, other: Sample) -> float:
    """Return the p-value of no difference that may be read at every look."""
    error, prior = _error(control, other), _prior(control, other)
    if not error:
        return 1
    difference = other.mean - control.mean
    log = prior * difference**2 / (2 * error * (error + prior)) - math.log1p(prior / error) / 2
    return math.exp(-max(log, 0))


def sample_ratio(players: Sequence[int], shares: Sequence[float]) -> float:
    """Return the p-value of the numbers of players by Pearson's chi-square test of the intended shares."""
    expected = [sum(players) * share / sum(shares) for share in shares]
    statistic = sum((count - wanted) ** 2 / wanted for count, wanted in zip(players, expected, strict=True))
    return _chi_square_tail(statistic, len(players) - 1)


def _chi_square_tail(statistic: float, freedom: int) -> float:
    """Return how likely a greater statistic is: the regularised upper gamma function by its recurrence."""
    half, at = statistic / 2, 1.0 if freedom % 2 == 0 else 0.5
    tail = math.exp(-half) if freedom % 2 == 0 else math.erfc(math.sqrt(half))
    if not freedom or not half:
        return 1
    while at < freedom / 2:
        tail += math.exp(at * math.log(half) - half - math.lgamma(at + 1))
        at += 1
    return tail


def _quantile(alpha: float) -> float:
    return NormalDist().inv_cdf(1 - alpha / 2)


def _error(control: Sample, other: Sample) -> float:
    """Return the variance of the difference of means."""
    return control.variance / control.players + other.variance / other.players


def _prior(control: Sample, other: Sample) -> float:
    """Return the variance of the effects that are expected."""
    return EFFECT**2 * (control.variance + other.variance) / 2
