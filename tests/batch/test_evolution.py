"""Every pair of schemas that the registry lets through is read by silver, before and after the change.

The judges: Spark and Iceberg read and write the columns, PyIceberg reads them back, and the values are those
that were sent, as plain Python knows them.
"""

import random
from typing import Any

import pytest
from emulated_lake import Lake, Spark, event
from tools import REPOSITORY, lake_tables
from tools.schema_artefacts import Catalogue, flink_type, glue_columns, redshift_type, silver_type, together
from tools.schemas import load

Fields = dict[str, dict[str, Any]]
PAIRS = 60
DAY, NIGHT = "2026-02-09", "2026-02-10T00:00:00.000Z"
KINDS: Fields = {
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}$"},
    "integer": {"type": "integer"},
    "map": {"type": "object", "additionalProperties": {"type": "string"}},
    "number": {"type": "number"},
    "string": {"type": "string", "maxLength": 64},
    "time": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}T(.*)$"},
}
VALUES: dict[str, list[Any]] = {
    "boolean": [True, False], "date": ["2026-01-31"], "integer": [0, -7, 2**53 - 1], "map": [{"k": "v"}],
    "number": [0.5, -2.0, 7], "string": ["", "é"], "time": ["2026-01-31T12:00:00.250Z"],
}  # fmt: skip


def generated(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    """Return a field of a random kind, described as the registry wants it."""
    kinds = [*KINDS, "object"] if depth < 2 else list(KINDS)
    kind = chance.choice(kinds)
    if kind != "object":
        return KINDS[kind] | {"description": kind}
    names = chance.sample("abcd", chance.randrange(1, 4))
    fields = {name: generated(chance, depth + 1) for name in names}
    return {"type": "object", "properties": fields, "additionalProperties": False, "description": "object"}


def payload(chance: random.Random, prefix: str) -> Fields:
    """Return the fields of a payload: names are few, so that two payloads share some."""
    return {f"{prefix}_{name}": generated(chance) for name in chance.sample("uvwxyz", 3)}


def changed(chance: random.Random, fields: Fields, prefix: str) -> Fields:
    """Return a payload after a release: fields stay, go, come, or become another kind."""
    kept = {name: field for name, field in fields.items() if chance.random() < 0.7}
    return payload(chance, prefix) | kept if chance.random() < 0.5 else kept | payload(chance, prefix)


def released(payload: Fields) -> Fields:
    """Return the fields of an enriched event of a release whose payloads have these fields."""
    fields = Catalogue(load(REPOSITORY)).event_fields()
    known = together(fields["payload"]["properties"], payload)
    return fields | {"payload": fields["payload"] | {"properties": known}}


def value(chance: random.Random, field: dict[str, Any]) -> Any:
    """Return a value that a field's schema allows."""
    if "properties" in field:
        return {name: value(chance, inner) for name, inner in field["properties"].items()}
    return chance.choice(VALUES[field["description"]])


def plain(found: Any) -> Any:
    """Return a value of a table as JSON has it, without what is null."""
    if isinstance(found, dict):
        return {name: plain(inner) for name, inner in found.items() if inner is not None}
    if isinstance(found, list):
        return dict(found)
    if hasattr(found, "hour"):
        return f"{found:%Y-%m-%dT%H:%M:%S}.{found.microsecond // 1000:03}Z"
    return found.isoformat() if hasattr(found, "isoformat") else found


class Evolution:
    """What the registry says of each pair, and a lake that lived through all that it lets through."""

    def __init__(self, spark: Spark) -> None:
        chance = random.Random(7)
        before: Fields = {}
        after: Fields = {}
        self.refused: list[str] = []
        self.accepted = 0
        for number in range(PAIRS):
            old = payload(chance, f"p{number}")
            new = changed(chance, old, f"p{number}")
            try:
                together(old, new)
            except ValueError as error:
                self.refused.append(str(error))
                continue
            self.accepted += 1
            before |= old
            after |= new
        self.old, self.new = released(before), released(together(before, after))
        self.lake = lake = spark.lake("evolution")
        self._replace_silver(lake)
        self.sent = []
        # Also back to the release before: what the newer one wrote stays, and is not lost to it.
        for hour, (fields, known) in enumerate([(before, self.old), (after, self.new), (before, self.old)]):
            made = [
                event(100 * hour + n, "session_start", DAY, f"p{hour}-{n}", received_at=NIGHT)
                | {"payload": {name: value(chance, field) for name, field in fields.items()}}
                for n in range(3)
            ]
            self.sent += made
            lake.arrive(f"2026-02-10T{hour:02}", made)
            span = (f"2026-02-10T{hour:02}", f"2026-02-10T{hour + 1:02}")
            answers = spark.drive({"columns": ddl(known)}, lake.steps("silver", f"run-{hour}", *span))
            assert answers == [None, 0], answers
        spark.drive({"columns": None})

    def _replace_silver(self, lake: Lake) -> None:
        """Make silver as the older release's Terraform declares it."""
        columns = glue_columns(self.old, silver_type)
        schema = lake_tables.schema_of({column["name"]: column["type"] for column in columns})
        tables = lake_tables.catalog()
        tables.drop_table((lake.database, "events"))
        tables.create_table((lake.database, "events"), schema, f"s3://{lake.bucket}/silver/events")


def ddl(known: Fields) -> str:
    """Return what scripts/schemas generates for the job."""
    columns = glue_columns(known, silver_type)
    return "".join(f"`{column['name']}` {column['type']}\n" for column in columns)


@pytest.fixture(scope="module")
def evolution(spark: Spark) -> Evolution:
    return Evolution(spark)


def test_the_registry_lets_some_pairs_through_and_refuses_others_with_the_reason(
    evolution: Evolution,
) -> None:
    assert evolution.accepted > 10
    assert len(evolution.refused) > 10
    assert all("share a column, whose type cannot change" in words for words in evolution.refused)


def test_silver_has_what_was_sent_before_and_after(evolution: Evolution) -> None:
    found = {row["event_id"]: plain(row["payload"]) for row in evolution.lake.table("events")}
    assert len(found) == len(evolution.sent) == 9
    for sent in evolution.sent:
        assert found[sent["event_id"]] == plain(sent["payload"])


def test_flink_and_redshift_have_a_type_for_every_column(evolution: Evolution) -> None:
    before, after = evolution.old, evolution.new
    for name, field in before.items():
        if name != "payload":
            assert redshift_type(field) == redshift_type(after[name])
            assert flink_type(field) == flink_type(after[name])
    old, new = before["payload"]["properties"], after["payload"]["properties"]
    grown = {name for name in old if flink_type(old[name]) != flink_type(new[name])}
    # Only an object may grow: Flink's JSON leaves null what a message lacks.
    assert all(flink_type(old[name]).startswith("ROW<") for name in grown)
    assert redshift_type(before["payload"]) == redshift_type(after["payload"]) == "SUPER"


def test_what_is_refused_could_not_be_read(spark: Spark, evolution: Evolution) -> None:
    """The registry does not refuse without need: Iceberg has no way from the one type to the other."""
    lake = spark.lake("refused")
    kinds = [kind for kind in KINDS if kind != "map"]
    name = f"lake.`{lake.database}`.events"
    possible = []
    for one in kinds:
        spark.sql(f"ALTER TABLE {name} ADD COLUMN `c_{one}` {silver_type(KINDS[one])}")
    for one in kinds:
        for other in kinds:
            answer = spark.drive(
                {"sql": f"ALTER TABLE {name} ALTER COLUMN `c_{one}` TYPE {silver_type(KINDS[other])}"}
            )
            if one != other and answer == [[]]:
                possible.append((one, other))
    assert possible == []


def test_a_column_that_cannot_hold_a_value_stops_the_run_before_it_writes(
    spark: Spark, evolution: Evolution
) -> None:
    """Should a type change in spite of the registry, nothing is written as something else."""
    wrong = ddl(evolution.old).replace("`sequence` bigint", "`sequence` double")
    assert wrong != ddl(evolution.old)
    held = len(evolution.lake.table("events"))
    evolution.lake.arrive("2026-02-10T09", [event(900, "session_start", DAY, "late", received_at=NIGHT)])
    steps = evolution.lake.steps("silver", "wrong", "2026-02-10T09", "2026-02-10T10")
    answer = spark.drive({"columns": wrong}, steps, {"columns": None})[1]
    assert "events.sequence is bigint and cannot hold double" in answer
    assert len(evolution.lake.table("events")) == held
