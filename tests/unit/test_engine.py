"""What Flink and Spark need of this machine is named before anything is installed."""

import shutil

import pytest
from tools import engine
from tools.engine import FLINK, SPARK, Engine


@pytest.mark.parametrize(
    ("wanted", "missing", "message"),
    [
        (FLINK, "javac", "Flink needs a JDK of 17, 18, 19, 20, 21 and there is no javac on PATH"),
        (FLINK, "python3.11", "there is no python3.11 on PATH"),
        (SPARK, "java", "Spark needs a JDK of 8, 11, 17 and there is no java on PATH"),
    ],
)
def test_what_the_machine_lacks_is_named(
    monkeypatch: pytest.MonkeyPatch, wanted: Engine, missing: str, message: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else f"/bin/{name}")
    monkeypatch.setattr(engine.subprocess, "run", lambda *_, **__: _Answer("javac 17.0.1"))
    with pytest.raises(engine.EngineMissing, match=message):
        wanted.install()
    assert message in str(wanted.why_missing())


@pytest.mark.parametrize(
    ("wanted", "printed", "message"),
    [
        (FLINK, "javac 11.0.2", "PATH has javac 11.0.2"),
        (SPARK, 'openjdk version "21.0.1" 2023-10-17', 'PATH has openjdk version "21.0.1"'),
        (SPARK, "", "PATH has one that does not say its version"),
    ],
)
def test_a_java_of_another_version_is_named(
    monkeypatch: pytest.MonkeyPatch, wanted: Engine, printed: str, message: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(engine.subprocess, "run", lambda *_, **__: _Answer(printed))
    assert message in str(wanted.why_missing())


def test_java_8_calls_itself_1_8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(engine.subprocess, "run", lambda *_, **__: _Answer('java version "1.8.0_392"'))
    assert "PATH has" not in str(SPARK.why_missing())


class _Answer:
    def __init__(self, printed: str) -> None:
        self.stdout, self.stderr, self.returncode = "", printed, 0
