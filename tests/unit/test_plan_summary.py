"""What a plan changes, and whether data would be lost: on plans written by hand."""

import json
from pathlib import Path
from typing import Any

import pytest
from tools import CommandError, plan_summary


def plan(*changes: tuple[str, list[str]], mode: str = "managed") -> dict[str, Any]:
    """Return a plan with these addresses and actions."""
    return {
        "resource_changes": [
            {"address": address, "type": address.split(".")[-2], "mode": mode, "change": {"actions": actions}}
            for address, actions in changes
        ]
    }


def told(given: dict[str, Any], *allowed: str) -> str:
    found = plan_summary.changes(given)
    return plan_summary.summary("dev", found, plan_summary.losses(found, set(allowed)))


def test_nothing_to_do() -> None:
    quiet = plan(("aws_sqs_queue.a", ["no-op"]), ("aws_sqs_queue.b", ["read"]))
    assert told(quiet) == "### dev\n\nNo changes.\n"
    assert told(plan(("data.aws_region.this", ["create"]), mode="data")) == "### dev\n\nNo changes.\n"


def test_changes_are_counted_the_worst_first() -> None:
    text = told(
        plan(
            ("module.a.aws_iam_role.new", ["create"]),
            ("aws_iam_role.old", ["delete"]),
            ("aws_lambda_function.code", ["update"]),
            ("aws_lambda_function.twice", ["create", "delete"]),
        )
    )
    assert "1 to destroy, 1 to replace, 1 to change, 1 to create" in text
    assert "2 resources are destroyed or replaced" in text
    assert "Data would be lost" not in text
    rows = [line.split("`")[1] for line in text.splitlines() if line.startswith("| ") and "`" in line]
    assert rows == [
        "aws_iam_role.old",
        "aws_lambda_function.twice",
        "aws_lambda_function.code",
        "module.a.aws_iam_role.new",
    ]


@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["create", "delete"]])
def test_what_holds_data_is_not_lost_by_mistake(actions: list[str]) -> None:
    table = "module.player_state.aws_dynamodb_table.players"
    assert f"Data would be lost with: `{table}`" in told(plan((table, actions)))
    assert "Data would be lost" not in told(plan((table, actions)), table)


def test_many_changes_are_cut() -> None:
    many = plan(*((f"aws_iam_role.r{number:03}", ["create"]) for number in range(130)))
    assert told(many).endswith("and 30 more.\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "is no plan in JSON"),
        ('{"errored": true}', "is of a plan that failed"),
        (json.dumps(plan(("aws_s3_bucket.lake", ["delete"]))), "data would be lost with aws_s3_bucket.lake"),
    ],
)
def test_errors_are_told(text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text)
    monkeypatch.setattr("sys.argv", ["plan-summary", str(file)])
    with pytest.raises(CommandError, match=message):
        plan_summary.main()
