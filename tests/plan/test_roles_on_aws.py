"""Roles the emulator cannot have are refused what their neighbours may do, by the engine of its IAM.

Those it has are tried on it: tests/integration/test_roles.py.
"""

from collections.abc import Callable
from typing import Any

import pytest
from policies import ACCOUNT, allows

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
