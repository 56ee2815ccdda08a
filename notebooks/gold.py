"""The reader of the lake's tables, for notebooks: see scripts/tools/gold.py."""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / name) for name in ("scripts", "functions", "functions/layers/telemetry")]

from tools.gold import answer, shares, sql, table  # noqa: E402
from tools.spend import answer as returns  # noqa: E402

__all__ = ["answer", "returns", "shares", "sql", "table"]
