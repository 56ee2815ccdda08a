"""Settings from the environment: typed, and complete or refused."""

import msgspec
import pytest
from telemetry import environment


class Settings(msgspec.Struct, frozen=True):
    """As functions declare theirs."""

    some_table: str
    some_hours: int
    some_header: str = ""


def test_settings_are_typed_and_what_else_there_is_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TABLE", "7")
    monkeypatch.setenv("SOME_HOURS", "48")
    assert environment.parse(Settings) == Settings("7", 48, "")


@pytest.mark.parametrize(("hours", "message"), [(None, "some_hours"), ("", "int"), ("soon", "int")])
def test_a_missing_or_wrong_one_is_named(
    monkeypatch: pytest.MonkeyPatch, hours: str | None, message: str
) -> None:
    monkeypatch.setenv("SOME_TABLE", "table")
    if hours is not None:
        monkeypatch.setenv("SOME_HOURS", hours)
    with pytest.raises(msgspec.ValidationError, match=message):
        environment.parse(Settings)


class Bounds(msgspec.Struct, frozen=True):
    """As stream_scaling declares the bounds of a stream."""

    minimum: int
    maximum: int


class Nested(msgspec.Struct, frozen=True):
    """Settings that hold more than one value."""

    streams: dict[str, Bounds]
    names: list[str] = []


def test_what_holds_several_values_is_json() -> None:
    variables = {"STREAMS": '{"raw": {"minimum": 1, "maximum": 4}}'}
    assert environment.parse(Nested, variables) == Nested({"raw": Bounds(1, 4)})


@pytest.mark.parametrize(
    ("streams", "message"),
    [
        ("raw", r"\$\.streams"),
        ("{", r"\$\.streams"),
        ('{"raw": {"minimum": 1}}', "maximum"),
        ("[]", r"\$\.streams"),
    ],
)
def test_json_that_is_broken_or_holds_something_else_is_named(streams: str, message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        environment.parse(Nested, {"STREAMS": streams})
