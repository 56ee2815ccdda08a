"""The provider asks what tests/support/provider_reads.py says: the plan role is judged by that table."""

import json
from pathlib import Path
from typing import Any

import pytest
from provider_reads import PREFIXES, calls

pytestmark = pytest.mark.integration


def test_a_plan_calls_what_the_table_says(applied: Any, tmp_path: Path) -> None:
    log = tmp_path / "provider.log"
    settings = {"TF_LOG": "JSON", "TF_LOG_PATH": str(log), "TF_LOG_PROVIDER": "DEBUG"}
    applied.terraform("plan", "-input=false", "-lock=false", **settings)
    made = _made(log)
    assert len(made) > 40
    for kind, found in made.items():
        assert found <= calls(kind), (kind, found - calls(kind))
    # A table that lost a call is noticed.
    assert "glue:GetPartitionIndexes" in made["aws_glue_catalog_table"]


def _made(log: Path) -> dict[str, set[str]]:
    """Return the calls that the provider logged, by type of resource and data source."""
    made: dict[str, set[str]] = {}
    for line in log.read_text().splitlines():
        if '"HTTP Request Sent"' in line:
            entry = json.loads(line)
            kind = entry.get("tf_resource_type") or entry.get("tf_data_source_type")
            if kind:
                service = entry["rpc.service"]
                prefix = PREFIXES.get(service, service.lower())
                made.setdefault(kind, set()).add(f"{prefix}:{entry['rpc.method']}")
    return made
