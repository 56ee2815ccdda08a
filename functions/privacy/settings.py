"""The function's settings from its environment, and the data stores that they name."""

from collections.abc import Iterator
from dataclasses import replace

import boto3
import msgspec
from botocore.config import Config
from telemetry.clients import client, resource

from privacy.data_stores import (
    KEPT,
    DataStore,
    LeaderboardEntries,
    Lines,
    Profile,
    RecentBatches,
    Silver,
    Warehouse,
    cut_event,
    cut_failure,
    cut_reject,
)
from privacy.erasure import Erasure, Game, Receipts

# As long as the warehouse's function may run; asked twice it would delete twice.
PATIENT = Config(read_timeout=900, retries={"total_max_attempts": 1})


class Settings(msgspec.Struct, frozen=True):
    """Set by Terraform; without a workgroup there is no silver, without a function no warehouse."""

    games_table: str
    players_table: str
    leaderboards_table: str
    recent_events_table: str
    lake_bucket: str
    lake_database: str = ""
    athena_workgroup: str = ""
    warehouse_function: str = ""

    def stores(self) -> list[DataStore]:
        """Return every store of personal data on AWS."""
        dynamodb, s3, bucket = client("dynamodb"), client("s3"), self.lake_bucket
        stores: list[DataStore] = [
            LeaderboardEntries(dynamodb, self.leaderboards_table),
            RecentBatches(dynamodb, self.recent_events_table),
            Lines(s3, bucket, "bronze", cut_event, since_first_seen=True),
            Lines(s3, bucket, "rejected", cut_reject),
            Lines(s3, bucket, "errors", cut_failure),
        ]
        if self.athena_workgroup:
            silver = Silver(client("athena"), self.athena_workgroup, self.lake_database)
            stores += [silver, *(replace(silver, name=n, table=n, columns=c) for n, c in KEPT.items())]
        if self.warehouse_function:
            stores.append(Warehouse(boto3.client("lambda", config=PATIENT), self.warehouse_function))
        return [*stores, Profile(dynamodb, self.players_table)]

    def games(self) -> Iterator[Game]:
        """Yield the games that have a key: of others nobody was ever erased."""
        dynamodb = resource("dynamodb").meta.client
        for page in dynamodb.get_paginator("scan").paginate(TableName=self.games_table):
            yield from (Game.of(item) for item in page["Items"] if "privacy_key" in item)

    def erasure(self, *more: DataStore) -> Erasure:
        """Return what erases, as whom AWS takes the caller for."""
        by: str = client("sts").get_caller_identity()["Arn"]
        return Erasure([*self.stores(), *more], Receipts(client("s3"), self.lake_bucket), by)
