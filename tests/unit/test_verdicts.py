"""Verdicts of the API: of the published experiment Cookie Cats, and of sums that plain Python makes."""

import random
from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import boto3
import pytest
from fake_aws import register
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from metrics_api.parameters import MAX_DAYS
from metrics_api.verdicts import MAX_VARIANTS
from signed_in import Ask, groups
from telemetry import experiments, metric_model

LAST = date(2026, 2, 28)
# What A. Kumar published of the game: players, and those who came back on day 1 and on day 7.
COOKIE_CATS = {"gate_30": (44_700, 20_034, 8_502), "gate_40": (45_489, 20_119, 8_279)}
URL = "/v1/games/sky/verdicts"


@pytest.fixture
def client(metrics_app: Any, dynamodb: Any) -> TestClient:
    for game in ("sky", "sky-2"):
        register(dynamodb, game)
    return TestClient(metrics_app)


def row(
    variant: str, day: int, exposed: date = date(2026, 1, 5), table: str = "experiments", **facts: Any
) -> list[Any]:
    types = metric_model.tables()[table].types
    found: dict[str, Any] = dict.fromkeys(types, 0) | {
        "event_date": exposed + timedelta(days=day),
        "game_id": "sky",
        "experiment": "gate",
        "variant": variant,
        "exposure_date": exposed,
        "day_number": day,
    }
    return [(found | facts)[name] for name in types]


def share(experiment: str, **shares: int) -> None:
    boto3.resource("dynamodb").Table("games").update_item(
        Key={"game_id": "sky"},
        UpdateExpression="SET experiment_shares = :shares",
        ExpressionAttributeValues={":shares": {experiment: shares}},
    )


def asked(client: TestClient, **parameters: Any) -> dict[str, Any]:
    answer = client.get(URL, params={"experiment": "gate", "to": str(LAST), **parameters})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def cookie_cats(gold: DuckGold) -> None:
    for variant, (players, first, seventh) in COOKIE_CATS.items():
        for day, back in ((0, players), (1, first), (7, seventh)):
            gold.fill("experiments", [row(variant, day, exposed_players=players, returned_players=back)])


def test_the_published_experiment_has_its_published_verdict(client: TestClient, gold: DuckGold) -> None:
    """Day 1: 44.82 % against 44.23 %, which may be chance. Day 7: 19.02 % against 18.20 %, which is not."""
    cookie_cats(gold)
    found = asked(client)
    rows = {(one["metric"]["name"], one["day"]): one for one in found["rows"]}
    assert list(rows) == [
        ("exposed_retention", 1),
        ("exposed_retention", 7),
        ("exposed_conversion", 7),
        ("exposed_sessions_mean", 7),
    ]
    for day, values, verdict in ((1, (0.4482, 0.4423), "not conclusive"), (7, (0.1902, 0.1820), "worse")):
        of_day = rows["exposed_retention", day]
        (other,) = of_day["variants"]
        assert (of_day["control"], other["variant"], other["verdict"]) == ("gate_30", "gate_40", verdict)
        assert (round(of_day["value"], 4), round(other["value"], 4)) == values
        assert other["difference"] == pytest.approx(other["value"] - of_day["value"])
        assert other["at_least"] < other["difference"] < other["at_most"]
        assert (other["at_most"] < 0) == (verdict == "worse")
        assert (of_day["players"], other["players"]) == (44_700, 45_489)
    # Nobody paid: nothing is known of the difference.
    (other,) = rows["exposed_conversion", 7]["variants"]
    assert (other["verdict"], other["at_least"], other["at_most"]) == ("too few players", None, None)
    assert not found["is_unequal"]
    assert [(one["variant"], one["players"], one["share"]) for one in found["samples"]] == [
        ("gate_30", 44_700, None),
        ("gate_40", 45_489, None),
    ]


def test_unequal_samples_are_told(client: TestClient, gold: DuckGold) -> None:
    """The counts of Cookie Cats against other shares, and a variant that lost everybody."""
    cookie_cats(gold)
    cases: list[tuple[dict[str, int], bool]] = [
        ({}, False),
        ({"gate_30": 447, "gate_40": 455}, False),
        ({"gate_30": 9, "gate_40": 1}, True),
        ({"gate_30": 1, "gate_40": 1, "gate_50": 1}, True),
        ({"gate_30": 1, "gate_50": 1}, True),
    ]
    for shares, is_unequal in cases:
        share("gate" if shares else "other", **(shares or {"a": 1, "b": 9}))
        found = asked(client)
        verdicts = {one["verdict"] for row in found["rows"] for one in row["variants"]}
        assert found["is_unequal"] == is_unequal
        assert (verdicts == {"unequal samples"}) == is_unequal, shares
        assert {one["variant"]: one["share"] for one in found["samples"] if one["share"]} == shares
        assert {one["variant"] for one in found["samples"]} == COOKIE_CATS.keys() | shares.keys()


def test_the_sums_are_those_of_all_exposures_until_the_day(client: TestClient, gold: DuckGold) -> None:
    dice = random.Random(27)
    sums: dict[tuple[str, int, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for table, currencies in (("experiments", [""]), ("experiment_revenue", ["EUR", "JPY"])):
        rows = []
        for _ in range(600):
            exposed = LAST - timedelta(days=dice.randrange(-3, 60))
            day, variant, currency = (
                dice.choice([0, 1, 2, 7, 30]),
                dice.choice("abc"),
                dice.choice(currencies),
            )
            game, experiment = dice.choice(["sky", "sky", "sky-2"]), dice.choice(["gate", "gate", "gate2"])
            players = dice.randrange(1, 90)
            sessions, net = players * dice.randrange(1, 4), dice.randrange(-500, 9000)
            facts: dict[str, Any] = {"exposed_players": players}
            facts |= (
                {"exposed_net_minor": net, "exposed_net_squared": float(net * net)}
                if currency
                else {
                    "returned_players": dice.randrange(players + 1),
                    "exposed_payers": dice.randrange(players + 1),
                    "exposed_sessions": sessions,
                    "exposed_sessions_squared": sessions * sessions,
                }
            )
            named = {"currency": currency} if currency else {}
            rows.append(
                row(variant, day, exposed, table, game_id=game, experiment=experiment, **named, **facts)
            )
            if (game, experiment) == ("sky", "gate") and exposed + timedelta(days=day) <= LAST:
                for name, value in facts.items():
                    sums[currency, day, variant][name] += value
        gold.fill(table, rows)
    seen = 0
    for currency in ("", "EUR", "JPY"):
        for one in asked(client, **({"currency": currency} if currency else {}))["rows"]:
            metric = metric_model.tables()["experiment_revenue" if currency else "experiments"].metrics[
                one["metric"]["name"]
            ]
            facts = {variant: sums[currency, one["day"], variant] for variant in "abc"}
            judged = experiments.judge(metric, facts)
            assert metric.formula is not None
            total = metric.formula.numerator
            assert one["value"] == pytest.approx(facts["a"][total] / facts["a"]["exposed_players"])
            assert [(two["variant"], two["verdict"]) for two in one["variants"]] == [
                (name, found.verdict) for name, found in judged.comparisons.items()
            ]
            assert [two["players"] for two in one["variants"]] == [
                facts[name]["exposed_players"] for name in "bc"
            ]
            seen += 1
    assert seen == 7 + 2 + 2


@pytest.mark.parametrize("shared", [False, True])
def test_of_many_variants_the_largest_are_compared(client: TestClient, gold: DuckGold, shared: bool) -> None:
    """A client can name a variant for each player. The control and what has a share are never left out."""
    sizes = {f"v{number:03}": 1000 - number for number in range(400)}
    sizes |= {"control": 3, "rare": 2}
    rows = [
        row(variant, day, exposed_players=players, returned_players=players // 2)
        for variant, players in sizes.items()
        for day in (0, 1, 2, 3, 7, 30)
    ]
    gold.fill("experiments", rows)
    kept = {"control", *(["rare"] if shared else [])}
    if shared:
        share("gate", control=1, rare=1)
    found = asked(client)
    largest = sorted(sizes.keys() - kept, key=sizes.__getitem__, reverse=True)[: MAX_VARIANTS - len(kept)]
    assert {one["variant"]: one["players"] for one in found["samples"]} == {
        name: sizes[name] for name in (*kept, *largest)
    }
    assert found["has_more_variants"]
    assert {one["control"] for one in found["rows"]} == {"control"}
    assert [len(one["variants"]) for one in found["rows"]] == [MAX_VARIANTS - 1] * 7
    names = [f"x{number}" for number in range(MAX_VARIANTS)]
    gold.fill("experiments", [row(name, 0, exposed_players=5, experiment="few") for name in names])
    few = asked(client, experiment="few")
    assert (len(few["samples"]), few["has_more_variants"]) == (MAX_VARIANTS, False)


def test_samples_say_which_day_they_belong_to(client: TestClient, gold: DuckGold) -> None:
    """The exposures are older than the days that are read, so that nothing is known of day 0."""
    old = LAST - timedelta(days=MAX_DAYS)
    for number in (0, 1, 7):
        gold.fill("experiments", [row(name, number, old, exposed_players=80 - number) for name in "ab"])
    found = asked(client)
    assert found["samples_day"] == 1
    assert [one["players"] for one in found["samples"]] == [79, 79]
    cookie_cats(gold)
    assert asked(client)["samples_day"] == 0


def test_an_experiment_that_is_not_there_has_no_verdict(client: TestClient, gold: DuckGold) -> None:
    cookie_cats(gold)
    for parameters in ({"experiment": "other"}, {"to": "2025-12-01"}, {"currency": "EUR"}):
        found = asked(client, **parameters)
        assert (found["rows"], found["samples"], found["is_unequal"]) == ([], [], False)
        assert (found["samples_day"], found["has_more_variants"]) == (None, False)
    gold.fill("experiments", [row("only", day, exposed_players=9, experiment="one") for day in (0, 1)])
    found = asked(client, experiment="one")
    assert [(one["day"], one["control"], one["variants"]) for one in found["rows"]] == [(1, "only", [])]
    for parameters in (
        {"experiment": ""},
        {"experiment": "x" * 129},
        {"experiment": "a\nb"},
        {"currency": "eur"},
        {"to": "yesterday"},
        {"from": "2026-01-01"},
    ):
        answer = client.get(URL, params={"experiment": "gate", **parameters})
        assert answer.status_code == 422, parameters
    assert client.get(URL).status_code == 422
    assert client.get(URL.replace("sky", "gone"), params={"experiment": "gate"}).status_code == 404


def test_readers_of_the_game_see_verdicts(ask: Ask, client: TestClient, gold: DuckGold) -> None:
    cookie_cats(gold)
    path, query = f"/signed-in{URL}", f"experiment=gate&to={LAST}"
    assert ask(path, groups("reader:sky"), query=query)[1]["rows"]
    assert ask(path, groups("producer:sky-2"), query=query)[0] == 403
