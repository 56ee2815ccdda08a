"""Packages depend on nothing but their inputs, and bring all that they import."""

import json
import os
import re
import shutil
import subprocess
from importlib.metadata import requires
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from tools import REPOSITORY, CommandError, build, bytecode, jars

HANDLER = "functions/ingest/handler.py"
FILES = {
    HANDLER: "one",
    "functions/ingest/requirements.txt": "wheel==1.0\n",
    "functions/ingest/requirements.lock": "wheel==1.0 \\\n    --hash=sha256:" + "1" * 64 + "\n",
    "functions/ingest/README.md": "",
    "functions/ingest/__pycache__/handler.pyc": "",
    "functions/layers/telemetry/telemetry/__init__.py": "",
    "event-schemas/metrics.json": "{}",
    "event-schemas/patterns.json": "{}",
    "event-schemas/purchase/1-0-0.json": "{}",
    "event-schemas/purchase/examples/purchase.1-0-0.typical.pass.json": "{}",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one function, whose pip installs one wheel."""
    if lacks := bytecode.missing():
        pytest.skip(lacks)
    monkeypatch.setattr(subprocess, "run", _run)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


RUN = subprocess.run


def _run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command; pip is replaced."""
    return _pip(command) if "pip" in command else RUN(command, **options)


def _pip(command: list[str]) -> subprocess.CompletedProcess[str]:
    (target,) = (Path(argument.removeprefix("--target=")) for argument in command if "--target=" in argument)
    (report,) = (Path(argument.removeprefix("--report=")) for argument in command if "--report=" in argument)
    archive = {"archive_info": {"hashes": {"sha256": "1" * 64}}}
    metadata = {"name": "Wheel", "version": "1.0", "license_expression": "MIT"}
    report.write_text(json.dumps({"install": [{"metadata": metadata, "download_info": archive}]}))
    for name in (
        "wheel/__init__.py",
        "wheel/__init__.pyi",
        "bin/wheel",
        "wheel.dist-info/METADATA",
        "wheel.dist-info/RECORD",
    ):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(str(target) if "RECORD" in name or "bin/" in name else "")
    return subprocess.CompletedProcess(command, 0)


def _names(archive: Path) -> list[str]:
    with ZipFile(archive) as zipped:
        return zipped.namelist()


def test_layer_holds_the_shared_code_and_the_schemas(root: Path) -> None:
    layer, _ = build.build("aws", root)
    assert _names(layer.path) == [
        "python/telemetry/__init__.py",
        "python/telemetry/__pycache__/__init__.cpython-313.pyc",
        "python/telemetry/schemas/metrics.json",
        "python/telemetry/schemas/patterns.json",
        "python/telemetry/schemas/purchase/1-0-0.json",
    ]


def test_function_holds_its_package_and_what_its_wheels_need_at_run_time(root: Path) -> None:
    _, function = build.build("aws", root)
    assert function.path == root / "build" / "aws" / "ingest.zip"
    assert _names(function.path) == [
        "ingest/__pycache__/handler.cpython-313.pyc",
        "ingest/handler.py",
        "wheel.dist-info/METADATA",
        "wheel/__init__.py",
        "wheel/__pycache__/__init__.cpython-313.pyc",
    ]


def test_only_packages_for_lambda_hold_bytecode(root: Path) -> None:
    build.build("local", root)
    assert not [
        name for path in (root / "build" / "local").glob("*.zip") for name in _names(path) if ".pyc" in name
    ]


def test_a_machine_without_lambdas_python_says_how_to_get_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytecode, "interpreter", lambda: None)
    with pytest.raises(CommandError, match=r"pyenv install 3\.13"):
        build.build("aws", root)
    missing = build.unobtainable(root)
    assert missing.keys() == {"telemetry-layer", "ingest"}
    assert build.build("aws", root, left_out=missing) == []
    assert [built.path.stem for built in build.build("local", root)] == ["telemetry-layer", "ingest"]


def test_a_file_that_is_no_python_is_named(root: Path) -> None:
    (root / HANDLER).write_text("def handler(:")
    with pytest.raises(CommandError, match=r'File "ingest/handler.py", line 1'):
        build.build("aws", root)


def test_bytes_do_not_depend_on_when_and_where_files_were_written(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name, text in reversed(FILES.items()):
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / name).write_text(text)
        (elsewhere / name).chmod(0o755)
        os.utime(elsewhere / name, (1, 1))
    here, there = build.build("aws", root), build.build("aws", elsewhere)
    assert [built.path.read_bytes() for built in here] == [built.path.read_bytes() for built in there]


def test_a_spark_job_is_its_package_and_beside_it_the_entry(root: Path) -> None:
    job = root / "functions" / "batch_analytics"
    (job / "sql").mkdir(parents=True)
    for name in ("main.py", "__init__.py", "sql/daily.sql"):
        (job / name).write_text(name)
    layer = root / "functions" / "layers" / "telemetry" / "telemetry"
    layer.mkdir(parents=True, exist_ok=True)
    for name in ("__init__.py", "corrections.py", "lateness.py", "sequences.py", "silver.py"):
        (layer / name).write_text(name)
    *_, built = build.build("aws", root)
    entry = root / "build" / "aws" / "batch_analytics.main.py"
    assert _names(built.path) == [
        "batch_analytics/__init__.py",
        "batch_analytics/sql/daily.sql",
        "telemetry/__init__.py",
        "telemetry/corrections.py",
        "telemetry/lateness.py",
        "telemetry/sequences.py",
        "telemetry/silver.py",
    ]
    assert entry.read_text() == "main.py"
    (job / "main.py").write_text("changed")
    assert build.build("aws", root)[-1].is_new
    assert entry.read_text() == "changed"
    entry.unlink()
    assert build.build("aws", root)[-1].is_new
    assert entry.is_file()


def test_a_machine_without_a_java_compiler_builds_the_other_packages(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = root / "functions" / "realtime_analytics"
    (application / "java").mkdir(parents=True)
    for name in ("main.py", "__init__.py", "java/OwnFactory.java"):
        (application / name).write_text(name)
    monkeypatch.setattr(jars, "resolve", lambda *_: [application / "main.py"])
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/javac")
    assert build.unobtainable(root) == {}
    monkeypatch.setattr(shutil, "which", lambda _: None)
    missing = build.unobtainable(root)
    assert "install a JDK" in missing["realtime_analytics"]
    names = [built.path.stem for built in build.build("aws", root, left_out=missing)]
    assert names == ["telemetry-layer", "ingest"]


def test_only_what_changed_is_built_again(root: Path) -> None:
    build.build("aws", root)
    assert [built.is_new for built in build.build("aws", root)] == [False, False]
    (root / HANDLER).write_text("two")
    layer, function = build.build("aws", root)
    assert (layer.is_new, function.is_new) == (False, True)
    function.path.unlink()
    assert build.build("aws", root)[1].is_new


def test_says_what_pip_could_not_install(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = subprocess.CompletedProcess[str]([], 1, stderr="WARNING: noise\nERROR: no such wheel\n")
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: answer if "pip" in command else RUN(command, **_)
    )
    with pytest.raises(CommandError, match=r"(?s)ingest/requirements.lock for aws:\nERROR: no such wheel$"):
        build.build("aws", root)


@pytest.mark.parametrize(
    "requirements",
    [package.requirements for package in build.packages() if "requirements.txt" in package.inputs("local")],
)
def test_requirements_name_every_wheel_needed(requirements: Path) -> None:
    """Wheels are installed one by one: a requirement of one that none of the files names would be missing."""
    layer = _pinned(REPOSITORY / "functions" / "layers" / "telemetry" / "requirements.txt")
    own = _pinned(requirements)
    assert own == layer or not own & layer, "the layer has it already"
    for name in own:
        needed = {_canonical(requirement) for requirement in requires(name) or [] if ";" not in requirement}
        assert needed <= own | layer, name


def _pinned(requirements: Path) -> set[str]:
    return {
        _canonical(line)
        for line in requirements.read_text().splitlines()
        if re.fullmatch(r"[\w.-]+==[\w.]+", line)
    }


def _canonical(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def test_no_function_imports_another() -> None:
    functions = REPOSITORY / "functions"
    names = {path.parent.name for path in functions.glob("*/__init__.py")}
    for path in functions.glob("*/**/*.py"):
        own = path.relative_to(functions).parts[0]
        imported = set(re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), re.MULTILINE))
        assert not imported & (names - {own}), path
