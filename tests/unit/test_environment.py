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
