"""Roles the emulator cannot have are refused what their neighbours may do, by the engine of its IAM.

Those it has are tried on it: tests/integration/test_roles.py.
"""

import math
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from enriched_stream import feed, leaderboards_of
from fake_aws import Tables
from player_events import happen, pay
from player_state.players import PlayerStore
from policies import ACCOUNT, allows
from telemetry import ad_spend
from telemetry.ad_spend import Spend

Resource = dict[str, Any]

# As terraform test has them.
LAKE = "arn:aws:s3:::mock"
STREAM = f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/mock"
READ_PLAYERS = ("dynamodb:GetItem", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/players")
READ_GAMES = ("dynamodb:Scan", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/games")
READ_STREAM = ("kinesis:GetRecords", STREAM)
WRITE_STREAM = ("kinesis:PutRecords", STREAM)
READ_BRONZE = ("s3:GetObject", f"{LAKE}/bronze/2026/01/31/12/x")
WRITE_BRONZE = ("s3:PutObject", f"{LAKE}/bronze/2026/01/31/12/x")
READ_REJECTED = ("s3:GetObject", f"{LAKE}/rejected/day=2026-01-31/reason=future/x")
READ_GOLD = ("s3:GetObject", f"{LAKE}/gold/daily/x")
WRITE_GOLD = ("s3:PutObject", f"{LAKE}/gold/daily/x")
READ_SILVER = ("s3:GetObject", f"{LAKE}/silver/events/x")
READ_KEPT = ("s3:GetObject", f"{LAKE}/kept/kept_players/x")
READ_SECRET = ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:mock")

DENIED = {
    "batch-analytics-job": [READ_PLAYERS, READ_GAMES, READ_STREAM, WRITE_BRONZE, READ_REJECTED],
    "batch-analytics-schedule": [READ_PLAYERS, READ_GAMES, READ_STREAM, READ_BRONZE],
    "batch-analytics-steps": [READ_PLAYERS, READ_GAMES, READ_STREAM, READ_BRONZE, WRITE_GOLD],
    "quicksight-lake": [READ_PLAYERS, READ_GAMES, READ_STREAM, READ_BRONZE, READ_REJECTED, WRITE_GOLD],
    "flow-logs": [READ_PLAYERS, READ_GAMES, READ_STREAM, READ_BRONZE],
    "stream-scaling": [READ_PLAYERS, READ_GAMES, READ_STREAM, WRITE_STREAM, READ_BRONZE],
    "stream-scaling-schedule": [READ_PLAYERS, READ_GAMES, READ_STREAM, READ_BRONZE],
    "table-optimizer": [READ_PLAYERS, READ_GAMES, READ_STREAM, READ_BRONZE, READ_REJECTED],
    "warehouse-gold": [
        READ_PLAYERS, READ_GAMES, READ_STREAM, READ_BRONZE, READ_REJECTED, READ_SILVER, READ_KEPT, WRITE_GOLD,
    ],
    "warehouse": [READ_PLAYERS, READ_GAMES, READ_STREAM, READ_GOLD],
    "warehouse-schedule": [READ_PLAYERS, READ_GAMES, READ_STREAM, READ_GOLD, READ_SECRET],
    "warehouse-silver": [
        READ_PLAYERS, READ_GAMES, READ_STREAM, READ_BRONZE, READ_REJECTED, READ_GOLD, READ_KEPT, WRITE_GOLD,
    ],
    "warehouse-streaming": [READ_PLAYERS, READ_GAMES, WRITE_STREAM, READ_BRONZE, READ_GOLD],
}  # fmt: skip
ALLOWED = {
    "batch-analytics-job": WRITE_GOLD,
    "quicksight-lake": READ_GOLD,
    "table-optimizer": WRITE_GOLD,
    "warehouse-gold": READ_GOLD,
    "warehouse": READ_SECRET,
    "warehouse-silver": READ_SILVER,
    "warehouse-streaming": READ_STREAM,
}


@pytest.fixture
def policies(applied: Callable[[str], list[Resource]]) -> dict[str, str]:
    """The permissions of the roles that prod has and local has not."""
    local, prod = _policies(applied("local")), _policies(applied("prod"))
    return {name: policy for name, policy in prod.items() if name not in local}


def test_every_role_is_in_the_list(policies: dict[str, str]) -> None:
    assert sorted(policies) == sorted(DENIED)


@pytest.mark.parametrize("name", DENIED)
def test_a_role_is_refused_what_is_not_its_own(policies: dict[str, str], name: str) -> None:
    for action, resource in DENIED[name]:
        assert not allows([policies[name]], action, resource), (action, resource)
    if name in ALLOWED:
        assert allows([policies[name]], *ALLOWED[name])


COUNTED = (
    happen("session_start", late=False),
    happen("progression", late=False, status="complete", level_1="l"),
    happen("economy", flow="source", currency="c", reason="r", amount=1, balance_after=1),
    happen("ad_impression", network="n", placement="p", format="banner", currency="EUR"),
    happen("design", name="d", value=1),
    happen("performance", late=False, fps=60),
    pay(0, 499),
)


def test_each_role_has_the_items_of_game_days_that_it_writes(
    applied: Callable[[str], list[Resource]],
) -> None:
    """The emulator's calls have no leading key, so that it lets each of them through."""
    written, policies = {}, _policies(applied("prod"))
    tables = Tables()
    assert feed(PlayerStore(tables, "players", "game_days"), COUNTED).lost == []
    written["player-state"] = {row["game_day"] for row in tables.rows("game_days")}
    tables = Tables()
    writer = leaderboards_of(tables)
    writer._defined = {"skyforge": (math.inf, [])}
    assert writer.submit([happen("score_submitted", leaderboard="score", score=1)]) == []
    written["leaderboards"] = {row["game_day"] for row in tables.rows("game_days")}
    spent = ad_spend.item("skyforge", Spend(date(2026, 3, 10), "north", "", "USD", 1))["game_day"]
    everything = set().union(*written.values(), {spent})
    kinds = {
        key.removeprefix("skyforge#").replace("2026-03-10#", "").rstrip("0123456789") for key in everything
    }
    assert kinds >= {
        "2026-03#active", "ads", "cohort", "designs", "economy", "hour-", "levels", "names", "versions",
    }  # fmt: skip
    table = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/mock"
    for role, own in written.items():
        for action in ("dynamodb:GetItem", "dynamodb:UpdateItem"):
            allowed = {
                key
                for key in everything
                if allows([policies[role]], action, table, dynamodb__LeadingKeys=[key])
            }
            assert allowed == own, (role, action)
    assert len(written["leaderboards"]) == 1


def _policies(resources: list[Resource]) -> dict[str, str]:
    """Return the policies by the short names of their roles, which stand beside them."""
    values = {resource["address"]: resource["values"] for resource in resources}
    return {
        # QuickSight's role names the bucket itself.
        values[address.replace("_role_policy.", "_role.")]["name"].split("-", 3)[3]: policy["policy"].replace(
            f"arn:aws:s3:::player-analytics-prod-lake-{ACCOUNT}", LAKE
        )
        for address, policy in values.items()
        if ".aws_iam_role_policy." in address
    }
