"""Each role of the platform is refused what its neighbours may do: IAM says so, not a plan."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.integration

PREFIX = "player-analytics-local-"
Session = boto3.Session
Outputs = dict[str, Any]


def read_players(session: Session, outputs: Outputs) -> None:
    key = {"player": {"S": "a#b"}}
    session.client("dynamodb").get_item(TableName=outputs["tables"]["players"], Key=key)


def write_raw(session: Session, outputs: Outputs) -> None:
    stream = outputs["raw_stream_name"]
    session.client("kinesis").put_record(StreamName=stream, Data=b"x", PartitionKey="x")


def write_games(session: Session, outputs: Outputs) -> None:
    session.client("dynamodb").put_item(
        TableName=outputs["tables"]["games"], Item={"game_id": {"S": "mine"}, "status": {"S": "active"}}
    )


def write_players(session: Session, outputs: Outputs) -> None:
    item = {"player": {"S": "a#b"}}
    session.client("dynamodb").put_item(TableName=outputs["tables"]["players"], Item=item)


def rank_players(session: Session, outputs: Outputs) -> None:
    item = {"board": {"S": "a#b"}, "player_id": {"S": "c"}}
    session.client("dynamodb").put_item(TableName=outputs["tables"]["leaderboards"], Item=item)


def read_games(session: Session, outputs: Outputs) -> None:
    session.client("dynamodb").scan(TableName=outputs["tables"]["games"])


def read_lake(session: Session, outputs: Outputs) -> None:
    session.client("s3").list_objects_v2(Bucket=outputs["lake_bucket"], Prefix="bronze/")


# What a role could be tempted to do: the neighbour before or after it on the way of an event may.
DENIED: dict[str, list[Callable[[Session, Outputs], None]]] = {
    "authorizer": [write_games, write_raw, read_players, read_lake],
    "bronze-delivery": [write_games, write_raw, read_players],
    "data-quality": [read_players, write_games, write_raw],
    "data-quality-schedule": [read_games, read_players, write_raw, read_lake],
    "ingest": [write_games, read_players, read_lake],
    "leaderboards": [read_games, read_players, write_players, write_raw, read_lake],
    "metrics-api": [write_players, write_games, write_raw, read_lake],
    "performance-advisor": [read_players, read_games, write_raw],
    "performance-advisor-schedule": [read_games, read_players, write_raw, read_lake],
    "player-state": [read_games, rank_players, write_raw, read_lake],
    "privacy": [write_games, write_players, write_raw],
    "privacy-schedule": [read_games, read_players, write_raw, read_lake],
    "processor": [write_games, read_players, write_raw, read_lake],
    "realtime-analytics": [read_games, read_players, write_raw],
    "realtime-windows": [read_games, read_players, write_raw, read_lake],
    "rejected-delivery": [write_games, write_raw, read_players],
    "scheduled-reports": [read_players, write_games, write_raw],
    "scheduled-reports-schedule": [read_games, read_players, write_raw, read_lake],
}


def roles() -> dict[str, str]:
    """Return the ARNs of the platform's roles by their short names."""
    pages = boto3.client("iam").get_paginator("list_roles").paginate()
    found = [role for page in pages for role in page["Roles"] if role["RoleName"].startswith(PREFIX)]
    return {role["RoleName"].removeprefix(PREFIX): role["Arn"] for role in found}


def test_every_role_is_in_the_list(applied: Any) -> None:
    assert sorted(roles()) == sorted(DENIED)


@pytest.fixture
def session(applied: Any, request: pytest.FixtureRequest) -> Iterator[Session]:
    """Act as a role, whose trust is widened to the account for as long as that takes."""
    iam, name = boto3.client("iam"), PREFIX + request.param
    role = iam.get_role(RoleName=name)["Role"]
    account = role["Arn"].split(":")[4]
    trust = role["AssumeRolePolicyDocument"]
    ours = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    wider = trust | {"Statement": [*trust["Statement"], ours]}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(wider))
    try:
        answer = boto3.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
        yield boto3.Session(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
    finally:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))


CASES = [(role, act) for role, acts in DENIED.items() for act in acts]


@pytest.mark.parametrize(
    ("session", "act"), CASES, indirect=["session"], ids=[f"{role}-{act.__name__}" for role, act in CASES]
)
def test_a_role_is_refused_what_is_not_its_own(
    applied: Any, session: Session, act: Callable[[Session, Outputs], None]
) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        act(session, applied.platform.outputs)


@pytest.mark.parametrize("session", sorted(DENIED), indirect=True)
def test_a_role_does_not_decrypt_data_itself(applied: Any, session: Session) -> None:
    """Keys of data serve the services that hold it, also for a role that may use them."""
    for data in ("credentials", "events", "players"):
        sealed = boto3.client("kms").encrypt(KeyId=f"alias/{PREFIX}{data}", Plaintext=b"x")["CiphertextBlob"]
        with pytest.raises(ClientError, match="AccessDenied"):
            session.client("kms").decrypt(CiphertextBlob=sealed)


@pytest.mark.parametrize("session", ["metrics-api"], indirect=True)
def test_a_role_that_may_is_let_through(applied: Any, session: Session) -> None:
    """The refusals are the policies' doing, not the session's."""
    read_games(session, applied.platform.outputs)
    read_players(session, applied.platform.outputs)
    sealed = boto3.client("kms").encrypt(KeyId=f"alias/{PREFIX}operations", Plaintext=b"x")["CiphertextBlob"]
    assert session.client("kms").decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
