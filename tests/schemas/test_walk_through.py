"""docs/adding-an-event-type.md, done as it says in a copy of the repository."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tools import REPOSITORY

GUIDE = (REPOSITORY / "docs" / "adding-an-event-type.md").read_text()
FILES = re.findall(r"^```json (\S+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^```bash\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
COPIED = (
    "clients",
    "docs",
    "event-schemas",
    "functions",
    "infrastructure",
    "pyproject.toml",
    "scripts",
    "tests",
)
BASH = ["bash", "-euo", "pipefail", "-c"]

# What the processor makes of an example that must pass, told in a process that knows the copy only.
PROCESS = """
import json, sys
from datetime import UTC, datetime
from fake_aws import Games, Streams, Tables, encode, processor, records
from telemetry.enrichment import timestamp
now, streams = timestamp(datetime.now(UTC)), Streams()
event = json.load(open(sys.argv[1])) | {"event_time": now, "sent_at": now}
processor(Games(("skyforge",)), Tables(), streams).process(records(encode(event)))
print(json.dumps({name: streams.lines(name) for name in ("bronze", "enriched", "rejected")}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of its own, published on main, in which the guide was followed."""
    root = tmp_path_factory.mktemp("walk-through")
    ignored = shutil.ignore_patterns(".terraform", "__pycache__", "dist", "node_modules")
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, root / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(source, root)
    (root / ".venv").symlink_to(REPOSITORY / ".venv")
    run(root, "git init -q -b main; git add .; git -c user.name=t -c user.email=t@t.t commit -qm published")
    for name, content in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def run(root: Path, command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    answer = subprocess.run([*BASH, command], cwd=root, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_the_guide_works_as_it_stands(copy: Path) -> None:
    said = [run(copy, command) for command in COMMANDS]
    assert "infrastructure/modules/data_lake/tables/bronze.json" in said[0]
    assert re.search(r"^\d+ schemas are in order$", said[0], re.MULTILINE)
    assert re.search(r"^[1-9]\d* passed", said[1], re.MULTILINE)
    generated = {path: (copy / path).read_text() for path in said[0].splitlines() if (copy / path).is_file()}
    columns = json.loads(generated["infrastructure/modules/data_lake/tables/bronze.json"])
    (payload,) = (column["type"] for column in columns if column["name"] == "payload")
    assert "guild_id:string" in payload
    assert "members:bigint" in payload
    assert "`members` BIGINT" in generated["functions/realtime_analytics/sql/enriched.sql"]
    assert "members:bigint" in generated["functions/batch_analytics/events.ddl"]
    assert "## guild_joined" in generated["docs/events.md"]
    assert set(run(copy, "git diff --name-only").split()) == set(generated), "and nothing else changes"


@pytest.mark.parametrize("name", [name for name, _ in FILES if "/examples/" in name], ids=os.path.basename)
def test_the_processor_judges_its_examples(copy: Path, name: str) -> None:
    path = os.pathsep.join(
        str(copy / part) for part in ("functions", "functions/layers/telemetry", "scripts", "tests/support")
    )
    answer = subprocess.run(
        [sys.executable, "-c", PROCESS, name],
        cwd=copy, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = json.loads(answer.stdout)
    if ".fail." in name:
        assert [line["reason"] for line in told["rejected"]] == ["schema_violation"]
        assert not told["enriched"] + told["bronze"]
    else:
        assert not told["rejected"]
        assert told["bronze"] == told["enriched"]
        assert told["enriched"][0]["payload"] == json.loads((copy / name).read_text())["payload"]
        assert told["enriched"][0]["schema_id"] == "guild_joined/1-0-0"
