"""The audit that a batch run leaves in the lake."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from telemetry.silver import Lake

COMPUTED = {"2026-03-09": {"active_players": 300, "revenue_EUR": 5000}}
TAKEN = Lake(105, 103, 103, 100, 5, 5000, sequences=400, gapped=4, days=COMPUTED)


def leave_audit(run_id: str, *faults: str, **found: Any) -> None:
    """Leave a run's audit in the lake, as the job writes it."""
    game = asdict(replace(TAKEN, **found))
    hour = f"{datetime.now(UTC) - timedelta(hours=4):%Y-%m-%dT%H}"
    body = {
        "faults": {"skyforge": faults} if faults else {},
        "hour": hour,
        "arrived": {},
        "games": {"skyforge": game},
    }
    boto3.client("s3").put_object(
        Bucket="lake", Key=f"batch/runs/{run_id}/audit.json", Body=json.dumps(body).encode()
    )
