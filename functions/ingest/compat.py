"""Routes of other products' clients, POST /v1/compat/{vendor}/…, and the answers that they understand.

A client sends again what it takes for lost, and drops what it takes for refused. So each answer has the
status and the body of the product's own service. docs/adr/0028 says how these clients show a key.
"""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telemetry.ingest_batch import Envelope
from telemetry.vendors import VENDORS

from ingest.request import RETRY_AFTER, RequestError, counted, response

INIT = re.compile(r"(v2/[^/]+/init|remote_configs/v1/init)")
NOTHING_STORED = (429, 503)
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """Whose client asks, and whether it only asks to begin."""

    envelope: Envelope
    is_init: bool = False

    def verdict(self, count: int, results: Sequence[Mapping[str, Any]], size: int) -> Answer:
        """Return the answer to `count` events of a body of `size` bytes.

        If any event was not stored, the client sends all of them again: copies have the same event_id.
        If some were refused, the answer is that of success: the quarantine has them.
        """
        if any(result["status"] == "retry" for result in results):
            text = "not all events were stored, send them again"
            return self.error(RequestError(503, "unavailable", text))
        body = counted(count, results)
        if not body["accepted"]:
            return self._refused(body)
        match self.envelope:
            case "unity":
                return {"statusCode": 204, "headers": {"cache-control": "no-store"}, "body": ""}
            case "amplitude":
                # Its clients read the status from the body.
                told = {"events_ingested": body["accepted"], "payload_size_bytes": size}
                return response(
                    200, body | told | {"code": 200, "server_upload_time": time.time_ns() // 10**6}
                )
        return response(200, body)

    def init(self) -> Answer:
        """Return the answer that lets a client of GameAnalytics begin, and correct its clock."""
        return response(200, {"enabled": True, "server_ts": int(time.time())})

    def error(self, error: RequestError) -> Answer:
        """Return the answer to a request that was refused as a whole."""
        answer = error.response()
        match self.envelope:
            case "gameanalytics" if error.status in NOTHING_STORED:
                # Its clients keep events only where an answer has no body. They drop them otherwise.
                return {**answer, "body": ""}
            case "amplitude":
                # With the name of a field, its clients do not send the same body again.
                missing = "events" if error.status == 400 else ""
                body = {"code": error.status, "error": error.message, "missing_field": missing}
                retry = {"retry-after": RETRY_AFTER[error.status]} if error.status in RETRY_AFTER else {}
                return response(error.status, body, **retry)
        return answer

    def _refused(self, body: dict[str, Any]) -> Answer:
        if self.envelope != "amplitude":
            return response(400, body)
        invalid: dict[str, list[int]] = {}
        for result in body["results"]:
            invalid.setdefault(result["pointer"], []).append(result["index"])
        text = "no event was good: results says why"
        return response(400, body | {"code": 400, "error": text, "events_with_invalid_fields": invalid})


def route_of(request: Mapping[str, Any]) -> Route | None:
    """Return the route of a vendor that a request took, None for another route; raises RequestError 404."""
    path = request.get("pathParameters") or {}
    if "vendor" not in path:
        return None
    name, rest = str(path["vendor"]), str(path.get("proxy", "")).strip("/")
    if name == "gameanalytics" and INIT.fullmatch(rest):
        return Route("gameanalytics", is_init=True)
    for envelope in ("amplitude", "gameanalytics", "unity"):
        if name == envelope and any(re.fullmatch(known, rest) for known in VENDORS[envelope].paths):
            return Route(envelope)
    raise RequestError(404, "not_found", "no client of a product that is known here sends to this path")
