"""Tell in Markdown what a Terraform plan will change, and refuse one that would lose data.

scripts/plan-summary PLAN.json, which `terraform show -json` writes.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tools import Arguments, CommandError, run

# What is in them is gone with them.
HOLD_DATA = {
    "aws_cognito_user_pool",
    "aws_dynamodb_table",
    "aws_glue_catalog_table",
    "aws_kinesis_stream",
    "aws_kms_key",
    "aws_redshiftserverless_namespace",
    "aws_s3_bucket",
    "aws_secretsmanager_secret",
    "aws_sqs_queue",
}
KINDS = {
    ("create",): "create",
    ("update",): "change",
    ("delete",): "destroy",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
}
MOST_ROWS = 100


def changes(plan: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return address, type and kind of each change: create, change, replace, destroy or forget."""
    found = [
        (change["address"], change["type"], KINDS.get(tuple(change["change"]["actions"])))
        for change in plan.get("resource_changes", [])
        if change.get("mode") == "managed"
    ]
    return [(address, type_, kind) for address, type_, kind in found if kind]


def losses(found: list[tuple[str, str, str]], allowed: set[str]) -> list[str]:
    """Return the addresses of what holds data and would be destroyed or replaced, but for those allowed."""
    return [
        address
        for address, type_, kind in found
        if kind in ("destroy", "replace") and type_ in HOLD_DATA and address not in allowed
    ]


def summary(title: str, found: list[tuple[str, str, str]], lost: list[str]) -> str:
    """Return the Markdown: counts, a warning for what would be lost, and a row a change, the worst first."""
    if not found:
        return f"### {title}\n\nNo changes.\n"
    counts = Counter(kind for *_, kind in found)
    order = ["destroy", "replace", "forget", "change", "create"]
    lines = [f"### {title}", "", ", ".join(f"{counts[kind]} to {kind}" for kind in order if counts[kind]), ""]
    if counts["destroy"] + counts["replace"]:
        lines += [
            f"> [!WARNING]\n> {counts['destroy'] + counts['replace']} resources are destroyed or replaced.",
            "",
        ]
    if lost:
        lines += ["> [!CAUTION]\n> Data would be lost with: " + ", ".join(f"`{one}`" for one in lost), ""]
    rows = sorted(found, key=lambda change: (order.index(change[2]), change[0]))
    lines += [
        "| | Resource |",
        "|---|---|",
        *(f"| {kind} | `{address}` |" for address, _, kind in rows[:MOST_ROWS]),
    ]
    if len(rows) > MOST_ROWS:
        lines += ["", f"and {len(rows) - MOST_ROWS} more."]
    return "\n".join(lines) + "\n"


def read(path: Path) -> dict[str, Any]:
    """Return a plan in JSON, of standard input for -. Raises CommandError for what is none."""
    try:
        plan: dict[str, Any] = json.loads(sys.stdin.read() if path == Path("-") else path.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} is no plan in JSON: {error}") from error
    return plan


def main() -> None:
    """Print the summary; a plan that would lose data is an error."""
    parser = Arguments(
        prog="scripts/plan-summary",
        description=__doc__,
        examples=("scripts/plan-summary plan.json --title prod",),
    )
    parser.add_argument("plan", type=Path, help="what `terraform show -json` wrote")
    parser.add_argument("--title", default="Plan")
    parser.add_argument("--allow", default="", help="addresses, by space, that may be lost")
    options = parser.parse_args()
    plan = read(options.plan)
    if plan.get("errored"):
        raise CommandError(f"{options.plan} is of a plan that failed")
    found = changes(plan)
    lost = losses(found, set(options.allow.split()))
    print(summary(options.title, found, lost))
    if lost:
        sys.stdout.flush()
        raise CommandError(f"data would be lost with {', '.join(lost)}; --allow names what is meant to go")


if __name__ == "__main__":
    run(main)
