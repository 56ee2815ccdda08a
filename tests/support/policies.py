"""What policies let through, as the engine says that enforces IAM on the emulator."""

import json
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

ACCOUNT = "111122223333"


def allows(
    policies: list[str | dict[str, Any]],
    action: str,
    resource: str,
    boundary: str | None = None,
    **context: str | list[str],
) -> bool:
    """Tell whether a role with these policies, within its boundary, may do it; context has `__` for `:`."""
    parsed = [_parse(policy) for policy in policies]
    limits = [] if boundary is None else [[_parse(boundary)]]
    request = EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/role/session",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=action,
        resource_arn=resource,
        region="eu-west-1",
        service_context={key.replace("__", ":").lower(): value for key, value in context.items()},
    )
    return bool(evaluate(request, parsed, *limits).decision == "Allow")


def _parse(policy: str | dict[str, Any]) -> Any:
    return parse_policy_document(json.loads(policy) if isinstance(policy, str) else policy)
