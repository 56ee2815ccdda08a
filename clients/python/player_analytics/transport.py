"""One request to the REST API, and what its answer means for each event."""

import contextlib
import email.utils
import gzip
import hashlib
import hmac
import http.client
import json
import random
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from player_analytics.settings import Settings
from player_analytics.validation import described

# API Gateway answers no more.
MAX_ANSWER_BYTES = 10_000_000
LONGEST_RETRY_AFTER = 86_400.0
# The platform itself repairs a clock that is less than 5 minutes off; a Date header counts whole seconds.
CLOCK_TOLERANCE_SECONDS = 60.0
SENT_AT = b',"sent_at":'


@dataclass(frozen=True, slots=True)
class Answer:
    """What to do with the events of a request, by their place in it.

    `rejected` says why an event was refused for good. `retry` are sent again with the same event_id, after
    `retry_after` seconds at least; `problem` says why. `is_too_much`: the request as a whole was refused for
    what it holds, so that fewer events may pass. `status` is that of HTTP, 0 where no answer came.
    """

    status: int = 0
    accepted: int = 0
    rejected: Mapping[int, str] = field(default_factory=dict)
    retry: frozenset[int] = frozenset()
    retry_after: float = 0.0
    problem: str = ""
    is_too_much: bool = False
    is_clock_wrong: bool = False


def timestamp(seconds: float) -> str:
    """Return Unix time as the envelope has it: RFC 3339, UTC, milliseconds."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def retry_delay(attempt: int, retry_after: float, settings: Settings) -> float:
    """Return seconds until the next attempt: Retry-After, and a random time that grows (full jitter)."""
    most = min(settings.longest_retry_seconds, settings.first_retry_seconds * 2 ** min(attempt, 30))
    return retry_after + random.uniform(0, most)  # noqa: S311 - no secret


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would turn POST into GET: it is a failure."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Follow none."""


class Transport:
    """Posts batches with a game's key; learns how far this machine's clock is off."""

    def __init__(self, url: str, key: str, settings: Settings, agent: str) -> None:
        """`url` is the REST API without a path, `key` is "<game_id>.<secret>"."""
        self._url, self._key, self._settings, self._agent = (
            f"{url.rstrip('/')}/v1/events",
            key,
            settings,
            agent,
        )
        self._opener = urllib.request.build_opener(_NoRedirect)
        # Seconds to add to this machine's time, 0 where it is near enough.
        self.clock_error = 0.0

    def send(self, lines: list[bytes]) -> Answer:
        """Send stored events once. Never raises: what went wrong is part of the answer."""
        return self.post([self._stamped(line) for line in lines])

    def post(self, lines: list[bytes]) -> Answer:
        """Send lines once, each with its line break. Never raises: what went wrong is part of the answer."""
        everything = frozenset(range(len(lines)))
        body = gzip.compress(b"".join(lines), 6, mtime=0)
        request = urllib.request.Request(self._url, body, self._headers(body), method="POST")  # noqa: S310
        try:
            try:
                with self._opener.open(request, timeout=self._settings.timeout_seconds) as response:
                    status, headers, text = response.status, response.headers, response.read(MAX_ANSWER_BYTES)
            except urllib.error.HTTPError as error:
                with error:
                    status, headers, text = error.code, error.headers, error.read(MAX_ANSWER_BYTES)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer(retry=everything, problem=f"the REST API cannot be reached: {error!r}")
        self._learn_time(headers.get("date", ""))
        return judged(status, headers.get("retry-after", ""), text, len(lines))

    def _stamped(self, line: bytes) -> bytes:
        """Return an event with the time of this attempt, by the clock that its event_time was taken from."""
        event, _, correction = line.rstrip(b"}\n").rpartition(SENT_AT)
        sent_at = timestamp(self._settings.clock() + float(correction))
        return event + SENT_AT + f'"{sent_at}"}}\n'.encode()

    def _headers(self, body: bytes) -> dict[str, str]:
        game_id, _, secret = self._key.partition(".")
        mode = self._settings.signature
        signing_key = hashlib.sha256(secret.encode()).hexdigest().encode()
        name = hmac.new(signing_key, b"name", hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/x-ndjson",
            "content-encoding": "gzip",
            "user-agent": self._agent,
            "x-api-key": f"{game_id}.{name}" if mode == "instead_of_key" else self._key,
        }
        if mode != "none":
            seconds = int(self._settings.clock() + self.clock_error)
            signed = hmac.new(signing_key, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
            headers["x-signature"] = f"t={seconds},sha256={signed}"
        return headers

    def _learn_time(self, date: str) -> None:
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            error = email.utils.parsedate_to_datetime(date).timestamp() - self._settings.clock()
            self.clock_error = error if abs(error) > CLOCK_TOLERANCE_SECONDS else 0.0


def judged(status: int, retry_after: str, text: bytes, count: int) -> Answer:
    """Return what an answer of the REST API says of `count` events."""
    everything = frozenset(range(count))
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if status in (202, 207, 422, 503) and (verdict := _verdict(body, count)):
        problem = "" if not verdict.retry else "the platform could not store all events"
        return replace(verdict, status=status, retry_after=_seconds(retry_after), problem=problem)
    error = body.get("error") if isinstance(body, dict) else None
    code, message = (
        (str(error.get(name, "")) for name in ("code", "message")) if isinstance(error, dict) else ("", "")
    )
    problem = f"the REST API answered {status} {code} {message}".strip()
    if status in (400, 413):
        if count == 1:
            return Answer(status, rejected={0: f"{code or status}: {message}"})
        return Answer(status, retry=everything, problem=problem, is_too_much=True)
    return Answer(
        status,
        retry=everything,
        retry_after=_seconds(retry_after),
        problem=problem,
        is_clock_wrong=code == "stale_signature",
    )


def _verdict(body: Any, count: int) -> Answer | None:
    """Return the verdict on each event, None where the answer is not one on these events."""
    try:
        results = {int(item["index"]): item for item in body["results"]}
        accepted = int(body["accepted"])
    except (TypeError, KeyError, ValueError):
        return None
    if accepted + len(results) != count or not results.keys() <= set(range(count)):
        return None
    rejected = {
        index: described(str(item.get("reason")), _errors(item))
        for index, item in results.items()
        if item.get("status") == "rejected"
    }
    return Answer(accepted=accepted, rejected=rejected, retry=frozenset(results.keys() - rejected.keys()))


def _errors(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return pointer and message of each error of a result."""
    found = result.get("errors")
    errors: list[Mapping[str, Any]] = [result]
    if isinstance(found, list) and found and all(isinstance(each, dict) for each in found):
        errors = found
    return [(str(each.get("pointer", "")), str(each.get("message"))) for each in errors]


def _seconds(retry_after: str) -> float:
    """Return the seconds of a Retry-After header, which may be a date."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (email.utils.parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    # Not a number compares false.
    return min(seconds, LONGEST_RETRY_AFTER) if seconds > 0 else 0.0
