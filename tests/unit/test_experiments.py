"""The statistics of experiments, against SciPy, published figures and experiments without a difference."""

import math
from collections.abc import Mapping

import numpy as np
import pytest
from scipy import integrate, stats
from telemetry import experiments, metric_model
from telemetry.experiments import Sample

RETENTION = metric_model.tables()["experiments"].metrics["exposed_retention"]
SESSIONS = metric_model.tables()["experiments"].metrics["exposed_sessions_mean"]
REVENUE = metric_model.tables()["experiment_revenue"].metrics["exposed_net_mean_minor"]


def share(players: int, count: int) -> Sample:
    """Return the sample of players of whom some came back."""
    return Sample(players, count, count)


def back(players: int, count: int) -> dict[str, float]:
    """Return the facts of the same."""
    return {"exposed_players": players, "returned_players": count}


# 90,189 players of the game Cookie Cats: the gate at level 30 was moved to level 40.
COOKIE_CATS = {
    1: {"gate_30": back(44_700, 20_034), "gate_40": back(45_489, 20_119)},
    7: {"gate_30": back(44_700, 8_502), "gate_40": back(45_489, 8_279)},
}


def test_the_later_gate_is_worse_on_day_seven_and_day_one_is_not_conclusive() -> None:
    first, seventh = (experiments.judge(RETENTION, COOKIE_CATS[day]) for day in (1, 7))
    assert first.control == seventh.control == "gate_30"
    one, seven = first.comparisons["gate_40"], seventh.comparisons["gate_40"]
    assert one.verdict == "not conclusive"
    assert seven.verdict == "worse"
    assert (round(one.difference, 4), round(seven.difference, 4)) == (-0.0059, -0.0082)
    assert seven.always.high < 0 < one.always.high
    assert seven.p_value == pytest.approx(0.03626, abs=0.00001)
    # The groups differ by 789 players, which is unusual, and not yet a fault of the assignment.
    assert first.ratio_p_value == pytest.approx(stats.chisquare([44_700, 45_489]).pvalue)
    assert experiments.RATIO_ALPHA < first.ratio_p_value < 0.01


def test_an_interval_for_one_look_is_narrower_than_one_for_every_look() -> None:
    for day in (1, 7):
        found = experiments.judge(RETENTION, COOKIE_CATS[day]).comparisons["gate_40"]
        assert found.always.low < found.once.low < found.difference < found.once.high < found.always.high


@pytest.mark.parametrize(("players", "count"), [(10, 0), (10, 3), (56, 48), (500, 500), (44_700, 8_502)])
def test_the_interval_of_a_share_is_scipys(players: int, count: int) -> None:
    wanted = stats.binomtest(count, players).proportion_ci(method="wilson")
    assert experiments.wilson(share(players, count), 0.05) == pytest.approx((wanted.low, wanted.high))


def test_the_interval_of_a_difference_is_the_published_one() -> None:
    # Newcombe 1998, table II, method 10: 56/70 less 48/80, 9/10 less 3/10, and 10/10 less 0/20.
    for (first, second), wanted in {
        ((70, 56), (80, 48)): (0.0524, 0.3339),
        ((10, 9), (10, 3)): (0.1705, 0.8090),
        ((10, 10), (20, 0)): (0.6791, 1.0),
    }.items():
        assert experiments.newcombe(share(*second), share(*first)) == pytest.approx(wanted, abs=0.0001)


def test_the_interval_of_means_is_scipys_for_large_samples() -> None:
    chance = np.random.default_rng(1)
    first, second = chance.poisson(3, 4_000), chance.poisson(4, 5_000)
    samples = [Sample(len(x), float(x.sum()), float((x**2).sum())) for x in (first, second)]
    wanted = stats.ttest_ind(second, first, equal_var=False).confidence_interval()
    assert experiments.welch(*samples) == pytest.approx((wanted.low, wanted.high), rel=0.001)


@pytest.mark.parametrize("counts", [[50, 50], [44_700, 45_489], [10, 20, 30], [5, 5, 5, 9], [9, 1, 4, 4, 4]])
def test_unequal_samples_are_scipys_chi_square(counts: list[int]) -> None:
    shares = [1.0] * len(counts)
    assert experiments.sample_ratio(counts, shares) == pytest.approx(stats.chisquare(counts).pvalue)
    shares[0] = 2
    wanted = stats.chisquare(counts, [sum(counts) * one / sum(shares) for one in shares]).pvalue
    assert experiments.sample_ratio(counts, shares) == pytest.approx(wanted)


def test_the_verdict_is_the_mixture_of_all_effects_by_the_prior() -> None:
    control, other = share(44_700, 8_502), share(45_489, 8_279)
    error = math.sqrt(control.variance / control.players + other.variance / other.players)
    prior = experiments.EFFECT * math.sqrt((control.variance + other.variance) / 2)
    seen, none = other.mean - control.mean, stats.norm(0, error)

    def weighted(effect: float) -> float:
        return float(stats.norm.pdf(effect, 0, prior) * stats.norm.pdf(seen, effect, error) / none.pdf(seen))

    ratio, _ = integrate.quad(weighted, -10 * prior, 10 * prior, limit=200)
    assert experiments.always_valid_p(control, other) == pytest.approx(1 / ratio, rel=1e-6)
    # An effect at the edge of the interval is just refused: the same test of this effect has p = alpha.
    edge = experiments.always_valid(control, other, 0.05).high

    def shifted(effect: float) -> float:
        return float(
            stats.norm.pdf(effect, edge, prior) * stats.norm.pdf(seen, effect, error)
            / stats.norm.pdf(seen, edge, error)
        )  # fmt: skip

    ratio, _ = integrate.quad(shifted, edge - 10 * prior, edge + 10 * prior, limit=200)
    assert 1 / ratio == pytest.approx(0.05, rel=1e-6)


def alarms(chance: np.random.Generator, repeats: int, days: int, rate: float) -> tuple[float, float]:
    """Return how many experiments without a difference raise an alarm when they are read daily.

    By the verdict, and by the interval that is made for one look.
    """
    always = once = 0
    for _ in range(repeats):
        players = chance.poisson(150, (days, 2)).cumsum(axis=0)
        came = chance.binomial(np.diff(players, axis=0, prepend=0), rate).cumsum(axis=0)
        looks = [
            experiments.judge(RETENTION, {"a": back(n[0], x[0]), "b": back(n[1], x[1])})
            for n, x in zip(players.tolist(), came.tolist(), strict=True)
        ]
        always += any(one.comparisons["b"].verdict in ("better", "worse") for one in looks)
        intervals = [one.comparisons["b"].once for one in looks]
        once += any(low > 0 or high < 0 for low, high in intervals)
    return always / repeats, once / repeats


@pytest.mark.parametrize("rate", [0.45, 0.19, 0.05])
def test_daily_reading_raises_few_false_alarms(rate: float) -> None:
    always, once = alarms(np.random.default_rng(7), repeats=600, days=40, rate=rate)
    assert always < 0.05
    assert once > 0.15


def test_daily_reading_of_skewed_revenue_raises_few_false_alarms() -> None:
    chance, alarmed, repeats = np.random.default_rng(8), 0, 300
    for _ in range(repeats):
        # One of twenty pays, and what they pay is spread over two orders of magnitude.
        paid = chance.lognormal(6, 1, (2, 6_000)) * (chance.random((2, 6_000)) < 0.05)
        total, squares = paid.cumsum(axis=1), (paid**2).cumsum(axis=1)
        alarmed += any(
            experiments.judge(
                REVENUE,
                {
                    name: {
                        "exposed_players": n,
                        "exposed_net_minor": total[arm, n - 1],
                        "exposed_net_squared": squares[arm, n - 1],
                    }
                    for arm, name in enumerate("ab")
                },
            ).comparisons["b"].verdict in ("better", "worse")
            for n in range(200, 6_001, 200)
        )  # fmt: skip
    assert alarmed / repeats < 0.05


def test_a_difference_is_found_by_daily_reading() -> None:
    chance, found = np.random.default_rng(9), 0
    for _ in range(50):
        looks = [
            (back(2_000 * day, int(chance.binomial(2_000 * day, 0.20))),
             back(2_000 * day, int(chance.binomial(2_000 * day, 0.22))))
            for day in range(1, 15)
        ]  # fmt: skip
        verdicts = [experiments.judge(RETENTION, {"a": a, "b": b}).comparisons["b"].verdict for a, b in looks]
        found += "better" in verdicts and "worse" not in verdicts
    assert found >= 45


def verdicts(variants: Mapping[str, Mapping[str, float]], **shares: float) -> dict[str, str]:
    """Return the verdict of each variant."""
    judged = experiments.judge(RETENTION, variants, shares or None)
    return {name: one.verdict for name, one in judged.comparisons.items()}


def test_unequal_samples_are_not_judged() -> None:
    arms = {"control": back(10_000, 2_000), "new": back(9_000, 2_700)}
    assert verdicts(arms) == {"new": "unequal samples"}
    assert verdicts(arms, control=10, new=9) == {"new": "better"}


def test_an_intended_share_needs_players_and_players_need_a_share() -> None:
    arms = {"control": back(10_000, 2_000), "new": back(10_100, 2_700)}
    assert verdicts(arms, control=1, new=1) == {"new": "better"}
    # A variant that should have a tenth of the players has none.
    assert verdicts(arms, control=9, new=9, lost=2) == {"new": "unequal samples"}
    assert verdicts({**arms, "stray": back(400, 100)}, control=1, new=1) == {
        "new": "better",
        "stray": "unequal samples",
    }
    assert verdicts(arms, other=1, another=1) == {"new": "unequal samples"}
    lost = experiments.judge(RETENTION, arms, {"control": 9, "new": 9, "lost": 2}).ratio_p_value
    wanted = stats.chisquare([10_000, 10_100, 0], [20_100 * share / 20 for share in (9, 9, 2)]).pvalue
    assert lost == pytest.approx(wanted)


def test_metrics_that_are_read_together_share_the_false_alarms() -> None:
    arms = COOKIE_CATS[7]
    one, many = (experiments.judge(RETENTION, arms, metrics=n).comparisons["gate_40"] for n in (1, 20))
    assert (one.verdict, many.verdict) == ("worse", "not conclusive")
    assert many.always.low < one.always.low < one.always.high < 0 < many.always.high
    two = experiments.judge(RETENTION, {**arms, "third": arms["gate_40"]}, metrics=10).comparisons["gate_40"]
    assert (two.always, two.once) == (many.always, many.once)


def test_few_players_are_not_judged() -> None:
    assert verdicts({"a": back(100, 20), "b": back(100, 80)}) == {"b": "too few players"}
    assert verdicts({"a": back(100, 50), "b": back(100, 90)}) == {"b": "too few players"}
    assert verdicts({"a": back(1_000, 0), "b": back(1_000, 0)}) == {"b": "too few players"}
    assert verdicts({"a": back(1_000, 300), "b": back(1_000, 700)}) == {"b": "better"}


def test_the_control_is_named_or_the_first() -> None:
    arms = {"big": back(5_000, 1_500), "control": back(5_000, 1_000), "small": back(5_000, 1_000)}
    assert verdicts(arms) == {"big": "better", "small": "not conclusive"}
    assert verdicts({"alone": back(5_000, 1_000)}) == {}


def test_each_of_several_variants_must_show_more() -> None:
    # Alone it is just conclusive; as one of two it is not.
    arms = {name: COOKIE_CATS[7][name] for name in ("gate_30", "gate_40")}
    assert verdicts(arms) == {"gate_40": "worse"}
    assert verdicts(arms | {"gate_50": back(45_000, 8_400)})["gate_40"] == "not conclusive"


def test_means_need_the_squares() -> None:
    def facts(values: list[float]) -> dict[str, float]:
        squares = sum(value**2 for value in values)
        return {
            "exposed_players": len(values),
            "exposed_sessions": sum(values),
            "exposed_sessions_squared": squares,
        }

    arms = {"a": facts([1, 2, 3, 2] * 500), "b": facts([2, 3, 4, 3] * 500)}
    found = experiments.judge(SESSIONS, arms).comparisons["b"]
    assert (found.difference, found.verdict) == (1, "better")
    error = math.sqrt(2 * 0.5 / 2_000)
    assert found.once == pytest.approx((1 - 1.959964 * error, 1 + 1.959964 * error))


def test_another_metric_is_refused() -> None:
    active = metric_model.tables()["daily"].metrics["stickiness"]
    with pytest.raises(ValueError, match="stickiness is no mean over exposed players"):
        experiments.sample(active, {})
