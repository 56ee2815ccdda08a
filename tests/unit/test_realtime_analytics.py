"""What the Flink job is told, and the SQL it makes of it; the job itself runs in tests/realtime."""

import json
import re
from pathlib import Path

import pytest
from realtime_analytics import settings, statements
from tools import CommandError
from tools.background import Background
from tools.progress import wait_for
from tools.realtime import RealtimeJob

GROUPS = {
    "streams": {"enriched.arn": "arn:e", "metrics.arn": "arn:m", "region": "eu-west-1"},
    "windows": {"allowed.lateness.seconds": "90"},
    "names": {"versions": "7"},
    "alerts": {"crash.spike.factor": "2.5", "window.minutes": "10"},
}


def test_properties_become_settings(tmp_path: Path) -> None:
    listed = [{"PropertyGroupId": name, "PropertyMap": values} for name, values in GROUPS.items()]
    (tmp_path / "properties.json").write_text(json.dumps(listed))
    loaded = settings.load(tmp_path / "properties.json")
    assert loaded.streams == settings.Streams("arn:e", "arn:m", "eu-west-1")
    assert loaded.windows == settings.Windows(allowed_lateness_seconds=90, idle_timeout_seconds=30)
    assert loaded.names == settings.Names(items=50, versions=7)
    assert (loaded.alerts.crash_spike_factor, loaded.alerts.window_minutes) == (2.5, 10)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"streams": {"enriched.arn": "a", "region": "r"}}, "streams: metrics.arn is missing"),
        (GROUPS | {"windows": {"allowed.lateness": "5"}}, "windows: allowed.lateness is no property"),
        (
            GROUPS | {"alerts": {"crash.minimum": "ten"}},
            "alerts: crash.minimum is 'ten', and must be a number",
        ),
    ],
)
def test_wrong_properties_are_named(groups: settings.Groups, message: str) -> None:
    with pytest.raises(settings.SettingsError, match=re.escape(message)):
        settings.parse(groups)


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(settings.SettingsError, match="does not hold the application's properties"):
        settings.load(tmp_path / "missing.json")


def test_every_setting_reaches_the_sql() -> None:
    sql = "\n".join(statements.statements(settings.parse(GROUPS)))
    assert "INTERVAL '90' SECOND" in sql
    assert "'stream.arn' = 'arn:e'" in sql
    assert "'json.ignore-parse-errors' = 'true'" in sql
    assert "WHERE `place` <= 7" in sql
    assert "WHERE `place` <= 50" in sql
    assert "> 2.5 * `crash_rate_before`" in sql
    assert "TIMESTAMPADD(MINUTE, -10, `window_end`)" in sql
    assert not re.search(r"{\w+}", sql), "a name was not filled in"


def test_the_endpoint_is_an_emulators_only() -> None:
    place = GROUPS | {"streams": GROUPS["streams"] | {"endpoint": "http://127.0.0.1:4566"}}
    on_aws, here = ("\n".join(statements.statements(settings.parse(groups))) for groups in (GROUPS, place))
    assert "aws.endpoint" not in on_aws
    assert here.count("'aws.endpoint' = 'http://127.0.0.1:4566'") == 3


def test_options_are_quoted() -> None:
    assert statements.options({"a": "it's"}) == "  'a' = 'it''s'"


def stopped(directory: Path, last_words: str) -> str:
    """Return what stopping a process answers that prints these words when it is asked to end."""
    program = f"""
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print({last_words!r})))
print("running job", flush=True)
time.sleep(600)
"""
    job, process = RealtimeJob(directory), Background(directory)
    child = process.start("-c", program)
    wait_for("its start", lambda: "running" in job.log.read_text(), process=child)
    return job.stop()


def test_a_stopped_job_names_its_savepoint(tmp_path: Path) -> None:
    assert stopped(tmp_path, "savepoint file:/place") == "file:/place"


def test_a_stop_without_a_savepoint_is_an_error_with_the_log(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"(?s)without a savepoint.*CheckpointException: declined"):
        stopped(tmp_path, "Caused by: CheckpointException: declined")
