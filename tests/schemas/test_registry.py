"""scripts/schemas: every rule on a small catalogue of its own, and the real one against them all."""

import itertools
import json
import re
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from telemetry import catalog
from telemetry.enrichment import enrich
from telemetry.origin import Origin
from telemetry.rejection import Reason
from tools import REPOSITORY, CommandError, schemas
from tools.client_artefacts import patterns
from tools.schema_artefacts import Catalogue, artefacts, glue_type, shape, silver_rules
from tools.schema_compatibility import broken, gaps, misnamed, narrowed, unknown_keywords

Schema = dict[str, Any]
Edit = Callable[[Schema], None]


def document(key: str, **fields: Schema) -> Schema:
    """Return an event schema of one version: a closed payload."""
    described = {field: schema | {"description": "A field."} for field, schema in fields.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": key,
        "title": catalog.name_of(key),
        "description": "An event.",
        "x-sent-by": "client",
        "type": "object",
        "properties": described,
        "required": ["score"],
        "additionalProperties": False,
    }


ENVELOPE: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "/common/envelope/1-0-0.json",
    "title": "Envelope",
    "description": "Every event.",
    "type": "object",
    "properties": {
        "event_type": {"type": "string", "description": "Its type."},
        "schema_version": {"type": "string", "description": "Its version."},
        "payload": {"type": "object", "description": "Its fields."},
    },
    "required": ["event_type", "schema_version", "payload"],
    "additionalProperties": False,
}
GOAL: Schema = {"event_type": "goal", "schema_version": "1-0-0"}
SCORE: Schema = {"type": "integer", "minimum": 0, "maximum": 100}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with an envelope and one event, released."""
    add(tmp_path, ENVELOPE, passes=GOAL | {"payload": {}}, fails={})
    publish(tmp_path, "1-0-0", score=SCORE)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    commit(tmp_path)
    git(tmp_path, "tag", "v1.0.0")
    return tmp_path


def add(root: Path, schema: Schema, passes: Any, fails: Any) -> None:
    folder, version = catalog.name_of(schema["$id"]), catalog.version_of(schema["$id"])
    examples = root / "event-schemas" / folder / "examples"
    examples.mkdir(parents=True, exist_ok=True)
    (examples.parent / f"{version}.json").write_text(json.dumps(schema))
    name = Path(folder).name
    (examples / f"{name}.{version}.a.pass.json").write_text(json.dumps(passes))
    (examples / f"{name}.{version}.a.fail.json").write_text(json.dumps(fails))
    known = [json.loads(path.read_text()) for path in catalog.files(root / "event-schemas")]
    speak(root, *patterns(known))


def speak(root: Path, *spoken: str) -> None:
    (root / "event-schemas" / "patterns.json").write_text(json.dumps(dict.fromkeys(spoken, "words")))


def publish(root: Path, version: str, **payload: Schema) -> None:
    schema = document(f"/goal/{version}.json", **payload)
    good = GOAL | {"schema_version": version, "payload": {"score": 50}}
    add(root, schema, passes=good, fails=good | {"payload": {"score": "many"}})


def change(root: Path, edit: Edit, key: str = "goal/1-0-0.json") -> None:
    path = root / "event-schemas" / key
    schema = json.loads(path.read_text())
    edit(schema)
    path.write_text(json.dumps(schema))


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Change")


def test_a_sound_catalogue_has_no_findings(root: Path) -> None:
    assert schemas.findings(root) == []
    assert schemas.edited(root, None) == []


@pytest.mark.parametrize(
    ("edit", "finding"),
    [
        (
            lambda s: s.update({"$id": "/goal/2-0-0.json"}),
            "$id is /goal/2-0-0.json, its path /goal/1-0-0.json",
        ),
        (lambda s: s.pop("title"), "has no title"),
        (lambda s: s.pop("description"), "/: has no description"),
        (
            lambda s: s["properties"]["score"].pop("description"),
            "/properties/score: has no description",
        ),
        (lambda s: s.pop("additionalProperties"), "/: is open"),
        (lambda s: s.update(type="thing"), "'thing' is not valid"),
        (lambda s: s.update(type="array"), "describes no object"),
        (
            lambda s: s["properties"].update(x={"$ref": "../common/none/1-0-0.json"}),
            "/properties/x/$ref: ../common/none",
        ),
        (lambda s: s["properties"].update(x={"$ref": "../goal/1-0-0.json"}), "is no document of common"),
        (
            lambda s: s["properties"]["score"].update(multipleOf=2),
            "/properties/score/multipleOf: event schemas do",
        ),
        (lambda s: s.update(allOf=[{"minProperties": 1}]), "/allOf: event schemas do not use this keyword"),
        (lambda s: s["properties"].update(x=True), "/properties/x/true: event schemas do not use"),
        (lambda s: s.update(anyOf=[{"minProperties": 1}]), "anyOf of more than required"),
    ],
)
def test_a_schema_has_a_form(root: Path, edit: Edit, finding: str) -> None:
    change(root, edit)
    (found,) = schemas.findings(root)
    assert found.startswith("event-schemas/goal/1-0-0.json: ")
    assert finding in found


def test_each_pattern_has_words_for_messages_and_all_words_have_a_pattern(root: Path) -> None:
    publish(root, "1-0-1", score=SCORE, name={"type": "string", "maxLength": 9, "pattern": "^[a-z]+$"})
    assert schemas.findings(root) == []
    speak(root, "^[A-Z]+$")
    missing, unused = schemas.findings(root)
    assert missing.startswith("event-schemas/patterns.json: has no words for ^[a-z]+$")
    assert unused == "event-schemas/patterns.json: ^[A-Z]+$ is no pattern of an event's schema"


def test_a_file_that_is_no_schema_is_named(root: Path) -> None:
    (root / "event-schemas/goal/1-0-0.json").write_text("{")
    with pytest.raises(CommandError, match=r"event-schemas/goal/1-0-0\.json"):
        schemas.findings(root)


def test_examples_are_judged_and_there_is_one_of_each(root: Path) -> None:
    examples = root / "event-schemas/goal/examples"
    (examples / "goal.1-0-0.a.fail.json").unlink()
    (examples / "goal.1-0-0.b.pass.json").write_text(json.dumps(GOAL | {"payload": {"score": 101}}))
    found = "\n".join(schemas.findings(root))
    assert "has no example that must fail" in found
    assert "goal.1-0-0.b.pass.json fails: 101 is greater" in found


def test_versions_have_no_gaps() -> None:
    assert list(gaps([(1, 0, 0), (1, 0, 1), (1, 1, 0), (2, 0, 0)])) == []
    assert list(gaps([(1, 0, 1)])) == ["the first version is 1-0-1, not 1-0-0"]
    assert list(gaps([(1, 0, 0), (1, 0, 2)])) == ["1-0-2 does not follow 1-0-0: 1-0-1, 1-1-0, 2-0-0 would"]


def test_an_optional_field_is_an_addition(root: Path) -> None:
    publish(root, "1-0-1", score=SCORE, assist={"type": "string"})
    assert schemas.findings(root) == []


@pytest.mark.parametrize(
    ("version", "edit", "findings"),
    [
        ("1-0-1", lambda s: s["properties"].update(consent={"type": "boolean", "description": "Given."}), []),
        (
            "1-0-1",
            lambda s: s["required"].append("consent"),
            ["consent became required: publish it as 1-1-0"],
        ),
        ("1-1-0", lambda s: s["required"].append("consent"), ["it may only grow"]),
        ("2-0-0", lambda s: s["properties"].pop("event_type"), ["it may only grow"]),
    ],
)
def test_the_newest_envelope_judges_every_event_and_may_only_grow(
    root: Path, version: str, edit: Edit, findings: list[str]
) -> None:
    envelope: Schema = json.loads(json.dumps(ENVELOPE)) | {"$id": f"/common/envelope/{version}.json"}
    edit(envelope)
    add(root, envelope, passes=GOAL | {"consent": True, "payload": {}}, fails={})
    found = [text for text in schemas.findings(root) if "example" not in text]
    assert len(found) == len(findings)
    assert all(expected in text for expected, text in zip(findings, found, strict=True))


def test_a_shared_document_is_part_of_the_schema_that_refers_to_it(root: Path) -> None:
    shared = {"title": "Colour", "description": "A colour.", "type": "string", "enum": ["red", "blue"]}
    for version, values in (("1-0-0", ["red", "blue"]), ("1-0-1", ["red", "blue", "green"])):
        add(root, shared | {"$id": f"/common/colour/{version}.json", "enum": values}, "red", "black")
    publish(root, "1-0-1", score=SCORE, colour={"$ref": "../common/colour/1-0-1.json"})
    assert schemas.findings(root) == []
    publish(root, "1-0-2", score=SCORE, colour={"$ref": "../common/colour/1-0-0.json"})
    (found,) = schemas.findings(root)
    assert "/properties/colour: enum lost a value: publish it as 1-1-0" in found


@pytest.mark.parametrize(
    ("payload", "finding"),
    [
        ({"score": SCORE | {"maximum": 60}}, "/properties/score: maximum fell to 60"),
        ({"score": SCORE | {"minimum": 1}}, "minimum rose to 1"),
        ({"score": SCORE | {"propertyNames": {"maxLength": 2}}}, "propertyNames changed"),
        ({"score": SCORE | {"enum": [50]}}, "enum lost a value"),
        ({"score": SCORE | {"pattern": "^a"}}, "pattern changed"),
    ],
)
def test_an_addition_that_refuses_what_was_valid_is_a_revision(
    root: Path, payload: dict[str, Schema], finding: str
) -> None:
    publish(root, "1-0-1", **payload)
    found = "\n".join(schemas.findings(root))
    assert finding in found
    assert "publish it as 1-1-0" in found


def test_a_revision_may_narrow_but_neither_remove_a_field_nor_change_its_type(root: Path) -> None:
    publish(root, "1-1-0", score=SCORE | {"maximum": 60})
    assert schemas.findings(root) == []
    publish(root, "1-2-0", score={"type": ["integer", "string"], "maximum": 60})
    found = "\n".join(schemas.findings(root))
    assert "type became ['integer', 'string']: publish it as 2-0-0" in found


@pytest.mark.parametrize("version", ["1-0-1", "1-1-0"])
@pytest.mark.parametrize(
    ("field", "change"),
    [
        ({"type": ["integer", "string"]}, "type became ['integer', 'string']"),
        ({"type": "number", "maximum": 9}, "type became number"),
        ({}, "type became any"),
    ],
)
def test_a_wider_type_changes_a_column_and_is_neither_addition_nor_revision(
    root: Path, version: str, field: Schema, change: str
) -> None:
    publish(root, version, score=field)
    assert f"/properties/score: {change}: publish it as 2-0-0" in "\n".join(schemas.findings(root))


@pytest.mark.parametrize("version", ["1-0-1", "1-1-0"])
def test_null_needs_no_column(root: Path, version: str) -> None:
    publish(root, version, score=SCORE | {"type": ["integer", "null"]})
    assert schemas.findings(root) == []


def test_a_model_may_do_anything_but_change_a_type(root: Path) -> None:
    schema = document("/goal/2-0-0.json", goals=SCORE | {"type": "number", "maximum": 60})
    event = GOAL | {"schema_version": "2-0-0"}
    add(root, schema | {"required": ["goals"]}, event | {"payload": {"goals": 1.5}}, event | {"payload": {}})
    assert schemas.findings(root) == []
    publish(root, "3-0-0", score=SCORE | {"type": "number", "maximum": 60})
    (found,) = schemas.findings(root)
    assert found.startswith("event-schemas/goal/3-0-0.json: payload.score is number, and integer in another")


def test_old_examples_must_pass_an_addition(root: Path) -> None:
    publish(root, "1-0-1", score=SCORE)
    change(root, lambda s: s.update(minProperties=2), "goal/1-0-1.json")
    found = "\n".join(schemas.findings(root))
    assert "example goal.1-0-0.a.pass.json of the version before fails" in found


def test_a_released_schema_is_never_edited_nor_deleted(root: Path) -> None:
    change(root, lambda s: s.update(title="Goal!"))
    (found,) = schemas.edited(root, None)
    assert "goal/1-0-0.json: is published and was edited since v1.0.0" in found
    commit(root)
    assert len(schemas.edited(root, None)) == 1
    (root / "event-schemas/goal/1-0-0.json").unlink()
    (found,) = schemas.edited(root, "HEAD")
    assert "was deleted" in found


def test_a_schema_may_change_until_a_release_holds_it(root: Path) -> None:
    publish(root, "1-0-1", score=SCORE)
    commit(root)
    change(root, lambda s: s.update(title="Not yet released"), "goal/1-0-1.json")
    assert schemas.edited(root, None) == []
    commit(root)
    git(root, "tag", "v1.0.1")
    change(root, lambda s: s.update(title="Released"), "goal/1-0-1.json")
    assert len(schemas.edited(root, None)) == 1
    git(root, "tag", "--delete", "v1.0.0", "v1.0.1")
    assert schemas.edited(root, None) == []


def test_where_git_cannot_tell_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no git checkout"):
        schemas.edited(tmp_path, None)


KINDS: dict[str, Schema] = {
    "boolean": {"type": "boolean"}, "integer": {"type": "integer"}, "number": {"type": "number"},
    "string": {"type": "string"}, "map": {"type": "object", "additionalProperties": {"type": "string"}},
    "object": {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False},
    "date": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}$"},
    "time": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}T(.*)$"},
}  # fmt: skip


@pytest.mark.parametrize(("one", "other"), list(itertools.product(KINDS, KINDS)))
def test_a_name_has_one_type_in_all_events_and_versions(one: str, other: str) -> None:
    """What a column was written as, no engine reads as another type."""
    before = document("/goal/1-0-0.json", score=SCORE, place=KINDS[one])
    for name in ("/goal/2-0-0.json", "/race/1-0-0.json"):
        after = document(name, score=SCORE, place=KINDS[other])
        catalogue = Catalogue({s["$id"]: s for s in (before, after)})
        if one == other:
            assert shape(catalogue.payload()["place"]) == one
        else:
            with pytest.raises(
                CommandError, match=rf"{name}: payload\.place is {other}, and {one} in another"
            ):
                catalogue.payload()


@pytest.mark.parametrize(
    ("field", "name", "reason"),
    [
        ({"type": "array"}, "place", "payload.place is array, which no column holds"),
        ({"type": ["string", "integer"]}, "place", "payload.place is integer or string, which no"),
        ({"type": "string"}, "Place", "payload.Place is no name of a column"),
        ({"type": "object", "properties": {"b-c": {}}}, "place", "payload.place.b-c is no name of a column"),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}}, "nested",
            "payload.nested.a is string, and integer in another event type",
        ),
    ],
)  # fmt: skip
def test_what_no_column_holds_is_refused_with_the_reason(field: Schema, name: str, reason: str) -> None:
    one = document("/goal/1-0-0.json", score=SCORE, nested=KINDS["object"])
    other = document("/race/1-0-0.json", score=SCORE, **{name: field})
    with pytest.raises(CommandError, match=re.escape(reason)):
        Catalogue({s["$id"]: s for s in (one, other)}).payload()


def test_objects_share_their_fields() -> None:
    more = {"type": "object", "properties": {"b": {"type": "string"}}, "additionalProperties": False}
    one = document("/goal/1-0-0.json", score=SCORE, place=KINDS["object"])
    other = document("/goal/1-0-1.json", score=SCORE, place=more)
    payload = Catalogue({s["$id"]: s for s in (one, other)}).payload()
    assert glue_type(payload["place"]) == "struct<a:bigint,b:string>"


# The real catalogue


def test_the_catalogue_is_in_order() -> None:
    assert schemas.findings(REPOSITORY) == []


def test_no_published_schema_was_edited() -> None:
    if (REPOSITORY / ".git").exists():  # an archive of the sources has no releases to compare with
        assert schemas.edited(REPOSITORY, None) == []


def test_generated_files_are_up_to_date() -> None:
    assert schemas.drift(REPOSITORY) == []


def test_drift_names_the_file_and_the_difference(tmp_path: Path) -> None:
    (tmp_path / "event-schemas").symlink_to(REPOSITORY / "event-schemas")
    visuals = Path("infrastructure/modules/quicksight/visuals.csv")
    (tmp_path / visuals).parent.mkdir(parents=True)
    (tmp_path / visuals).symlink_to(REPOSITORY / visuals)
    found = schemas.drift(tmp_path)
    assert len(found) == len(schemas.generated(REPOSITORY)) - 1  # one lies below event-schemas
    assert all("run `scripts/schemas generate`" in text for text in found)


def test_an_enriched_event_has_the_fields_that_are_described() -> None:
    example = catalog.schema_directory() / "purchase/examples/purchase.1-0-0.typical.pass.json"
    event = json.loads(example.read_text())
    now = datetime.fromisoformat(event["sent_at"])
    added = {k: v for k, v in enrich(event, Origin(now, "rest")).items() if k not in event}
    assert list(catalog.validator("/common/enriched/1-0-0.json").iter_errors(added)) == []


def test_the_quarantine_knows_every_reason() -> None:
    fields = catalog.documents()["/common/rejected/1-0-0.json"]["properties"]
    assert fields["reason"]["enum"] == [reason.value for reason in Reason]


def test_the_warehouses_table_is_redshift_sql() -> None:
    text = artefacts(catalog.documents(), schemas.metrics(REPOSITORY))[
        "event-schemas/generated/events.redshift.sql"
    ]
    create, *comments = (statement for statement in sqlglot.parse(text, read="redshift") if statement)
    columns = {column.name for column in create.find_all(sqlglot.exp.ColumnDef)}
    assert columns == set(Catalogue(catalog.documents()).event_fields())
    assert len(comments) == len(columns)


def test_every_field_has_a_column_that_glue_takes() -> None:
    files = artefacts(catalog.documents(), schemas.metrics(REPOSITORY))
    modules = "infrastructure/modules"
    gold = json.loads(files[f"{modules}/lake_tables/tables/gold.json"])
    tables = [
        *(json.loads(files[f"{modules}/data_lake/tables/{name}.json"]) for name in ("bronze", "rejected")),
        json.loads(files[f"{modules}/lake_tables/tables/events.json"]),
        *(table["columns"] for table in gold.values()),
    ]
    for columns in tables:
        assert all(len(column["type"]) < 131_072 for column in columns)
        assert all(0 < len(column["comment"]) <= 255 for column in columns)
    assert [column["name"] for column in tables[1] if column["name"] == "reason"] == []


def test_silver_has_the_columns_of_bronze_with_times_and_days_typed() -> None:
    files = artefacts(catalog.documents(), schemas.metrics(REPOSITORY))
    bronze, silver = (
        {
            column["name"]: column["type"]
            for column in json.loads(files[f"infrastructure/modules/{name}.json"])
        }
        for name in ("data_lake/tables/bronze", "lake_tables/tables/events")
    )
    assert silver.pop("added_ms") == "bigint", "what the batch job writes, and no event has"
    typed = {name: kind for name, kind in silver.items() if kind != bronze[name]}
    times = ("event_time", "sent_at", "received_at", "processed_at", "corrected_time")
    assert typed == {**dict.fromkeys(times, "timestamp"), "event_date": "date"}


# Is the structural proof sound? Search for a document that disproves it, over every keyword that may be used.

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 8), st.text("abc", max_size=4), st.sampled_from([0.5, 1.0, 0])
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["integer", "number", "string", "boolean", ["string", "null"], ["integer", "string"]]
        ),
        "minimum": st.integers(-2, 5),
        "maximum": st.integers(-2, 5),
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "enum": st.lists(SCALARS.filter(lambda v: not isinstance(v, float)), min_size=1, max_size=3),
        "pattern": st.sampled_from(["a", "^b"]),
    },
)
EDITS = FIELDS.filter(bool).flatmap(lambda field: st.sampled_from(sorted(field.items())))
NAMES = st.sampled_from(["x", "y", "z"])
REQUIRED = st.lists(NAMES, unique=True, max_size=2)


def objects(fields: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    """Draw object schemas whose fields are drawn from a strategy."""
    return st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(NAMES, fields, max_size=3)},
        optional={
            "required": REQUIRED,
            "additionalProperties": st.one_of(st.just(False), FIELDS),
            "propertyNames": st.fixed_dictionaries({}, optional={"pattern": st.sampled_from(["x", "^y"])}),
            "minProperties": st.integers(0, 2),
            "maxProperties": st.integers(0, 2),
            "anyOf": st.lists(st.fixed_dictionaries({"required": REQUIRED}), min_size=1, max_size=2),
        },
    )


OBJECTS = objects(FIELDS | objects(FIELDS))
LEAVES = st.dictionaries(NAMES, SCALARS, max_size=3)
VALUES = st.lists(st.dictionaries(NAMES, SCALARS | LEAVES, max_size=3), max_size=12)


@st.composite
def steps(draw: st.DrawFn) -> tuple[Schema, Schema]:
    """Draw a schema and a changed one: a keyword or a field of it replaced, added or dropped."""
    old, other = draw(OBJECTS), draw(OBJECTS)
    new: Schema = json.loads(json.dumps(old))
    for keyword in draw(st.lists(st.sampled_from(sorted({*old, *other} - {"type"})), max_size=2)):
        if keyword in other and draw(st.booleans()):
            new[keyword] = other[keyword]
        elif keyword != "properties":
            new.pop(keyword, None)
    name = draw(NAMES)
    match draw(st.sampled_from(["keep", "drop", "replace", "edit"])):
        case "drop":
            new["properties"].pop(name, None)
        case "replace":
            new["properties"][name] = draw(FIELDS)
        case "edit" if new["properties"]:
            field = new["properties"][draw(st.sampled_from(sorted(new["properties"])))]
            keyword, value = draw(EDITS)
            field[keyword] = value
    return old, new


@settings(max_examples=1000, deadline=None)
@given(steps(), VALUES)
def test_what_is_not_narrower_accepts_all_that_was_valid(
    pair: tuple[Schema, Schema], values: list[Any]
) -> None:
    old, new = pair
    if list(narrowed(old, new)):
        return
    before, after = jsonschema.Draft202012Validator(old), jsonschema.Draft202012Validator(new)
    for value in values:
        assert after.is_valid(value) or not before.is_valid(value)


def columns(schema: Schema) -> Schema:
    """Return a schema that takes what the columns of a schema hold, and no other field's business."""
    kinds = schema.get("type", ["array", "boolean", "number", "object", "string"])
    kept: Schema = {"type": [*([kinds] if isinstance(kinds, str) else kinds), "null"]}
    kept["type"] = sorted(set(kept["type"]))
    if "properties" in schema:
        kept["properties"] = {name: columns(field) for name, field in schema["properties"].items()}
    if isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = columns(schema["additionalProperties"])
    return kept


@settings(max_examples=1000, deadline=None)
@given(steps(), VALUES)
def test_what_is_no_model_fits_the_columns_of_before(pair: tuple[Schema, Schema], values: list[Any]) -> None:
    old, new = pair
    if list(misnamed((1, 0, 0), (1, 1, 0), old, new)):
        return
    after = jsonschema.Draft202012Validator(new)
    before = jsonschema.Draft202012Validator(columns(old))
    for value in values:
        assert before.is_valid(value) or not after.is_valid(value)


@settings(max_examples=1000, deadline=None)
@given(steps())
def test_an_addition_may_be_a_revision_and_that_a_model(pair: tuple[Schema, Schema]) -> None:
    addition, revision, model = (
        list(misnamed((1, 0, 0), step, *pair)) for step in ((1, 0, 1), (1, 1, 0), (2, 0, 0))
    )
    assert addition or not revision
    assert not model


TEXT: Schema = {"type": "string"}
OPEN: Schema = {"type": "object"}


# For each keyword a step that refuses a value which was valid. jsonschema confirms that it does.
@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ({"enum": [0, 1]}, {"enum": [False, True]}, 1),
        ({"enum": ["a"]}, {"enum": ["b"]}, "a"),
        ({}, {"enum": ["b"]}, "a"),
        ({"type": ["string", "null"]}, TEXT, None),
        ({"type": "number"}, {"type": "integer"}, 0.5),
        (TEXT, TEXT | {"minLength": 1}, ""),
        (TEXT | {"maxLength": 5}, TEXT | {"maxLength": 4}, "abcde"),
        ({"minimum": 0}, {"minimum": 1}, 0),
        ({}, {"maximum": 1}, 2),
        (TEXT, TEXT | {"pattern": "^a"}, "b"),
        (TEXT | {"pattern": "a"}, TEXT | {"pattern": "^a"}, "ba"),
        (OPEN, OPEN | {"required": ["x"]}, {}),
        (OPEN, OPEN | {"minProperties": 1}, {}),
        (OPEN | {"maxProperties": 2}, OPEN | {"maxProperties": 1}, {"x": 1, "y": 1}),
        (OPEN, OPEN | {"propertyNames": {"maxLength": 1}}, {"xy": 1}),
        (OPEN | {"propertyNames": {"maxLength": 2}}, OPEN | {"propertyNames": {"maxLength": 1}}, {"xy": 1}),
        (OPEN, OPEN | {"additionalProperties": False}, {"x": 1}),
        (OPEN, OPEN | {"additionalProperties": TEXT}, {"x": 1}),
        (OPEN | {"additionalProperties": TEXT}, OPEN | {"additionalProperties": False}, {"x": "a"}),
        (OPEN, OPEN | {"anyOf": [{"required": ["x"]}]}, {}),
        (
            OPEN | {"anyOf": [{"required": ["x"]}, {"required": ["y"]}]},
            OPEN | {"anyOf": [{"required": ["x"]}]},
            {"y": 1},
        ),
        (OPEN | {"properties": {"x": {}}}, OPEN | {"properties": {"x": TEXT}}, {"x": 1}),
        (
            OPEN | {"properties": {"x": {}}, "additionalProperties": False},
            OPEN | {"properties": {}, "additionalProperties": False},
            {"x": 1},
        ),
        (
            OPEN | {"properties": {"x": {}}, "additionalProperties": TEXT},
            OPEN | {"properties": {}, "additionalProperties": TEXT},
            {"x": 1},
        ),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_a_step_that_refuses_a_valid_value_is_narrower(old: Schema, new: Schema, value: Any) -> None:
    assert not [*unknown_keywords(old), *unknown_keywords(new)]
    assert jsonschema.Draft202012Validator(old).is_valid(value)
    assert not jsonschema.Draft202012Validator(new).is_valid(value)
    assert list(narrowed(old, new))


@settings(max_examples=300, deadline=None)
@given(OBJECTS)
def test_a_schema_is_not_narrower_than_itself(schema: Schema) -> None:
    assert list(narrowed(schema, schema)) == []
    assert list(broken(schema, schema)) == []
    assert list(misnamed((1, 0, 0), (1, 0, 1), schema, schema)) == []


@pytest.mark.parametrize("table", schemas.metrics(REPOSITORY)["tables"])
def test_gold_computes_the_columns_that_are_defined(table: str) -> None:
    text = (REPOSITORY / "functions" / "batch_analytics" / "sql" / "gold" / f"{table}.sql").read_text()
    query = sqlglot.parse_one(text, read="spark")
    within = {cte.alias: cte.this.named_selects for cte in query.ctes}
    source = query.args["from_"].this.name
    computed = [n for name in query.named_selects for n in (within[source] if name == "*" else [name])]
    assert sorted(computed) == sorted(schemas.metrics(REPOSITORY)["tables"][table]["columns"])


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ({"type": "object", "properties": {}, "additionalProperties": False}, "an object without fields"),
        ({"type": "integer", "minimum": 0}, "needs minimum and maximum"),
        ({"type": "integer", "minimum": 0, "maximum": 2**80}, "needs minimum and maximum"),
        ({"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-w[1-5]$"}, "takes other texts"),
        (
            {"type": "object", "additionalProperties": {"$ref": "../common/currency/1-0-0.json"}},
            "in additionalProperties is no document of common",
        ),
    ],
)
def test_a_field_that_no_table_holds_is_refused(root: Path, field: Schema, found: str) -> None:
    publish(root, "1-0-1", score=SCORE, odd=field | {"description": "Odd."})
    assert any(found in text for text in schemas.findings(root)), schemas.findings(root)


def test_a_required_field_that_may_be_null_breaks_no_rule_of_silver(root: Path) -> None:
    schema = document("/goal/2-0-0.json", goals=SCORE | {"type": ["integer", "null"]})
    event = GOAL | {"schema_version": "2-0-0"}
    add(root, schema | {"required": ["goals"]}, event | {"payload": {"goals": None}}, event | {"payload": {}})
    assert schemas.findings(root) == []
    own = schemas.load(REPOSITORY)
    for schema_type, nulls in ((["integer", "null"], False), ("integer", True)):
        newer = document("/goal/1-0-0.json", goals=SCORE | {"type": schema_type}) | {"required": ["goals"]}
        rules = silver_rules(Catalogue(own | {"/goal/1-0-0.json": newer}))
        assert ("goal.goals" in rules["nulls"]) is nulls
