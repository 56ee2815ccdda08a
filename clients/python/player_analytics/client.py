"""The client of a game: notes events on the caller's thread, keeps and sends them on threads of its own."""

import atexit
import contextlib
import json
import logging
import threading
import time
import uuid
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from player_analytics import events
from player_analytics.queue import Queue
from player_analytics.settings import SDK, STAMP_BYTES, Settings, Stats
from player_analytics.transport import Answer, Transport, retry_delay, timestamp
from player_analytics.validation import MAX_EVENT_BYTES, newest_version, problem, unknown

# How long events gather in memory before they are written together.
GATHER_SECONDS = 0.01
# A child's events, and events without consent, leave these fields on the device: docs/adr/0015.
DEVICE_FIELDS = ("device_model", "locale", "os_version")
OVERHEAD_BYTES = 400
# How long `close` waits for the platform where the disk keeps what is left.
SECONDS_TO_CLOSE = 2.0

_log = logging.getLogger("player_analytics")
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class _Noted(NamedTuple):
    """A call of `track`, with the player's choices at that moment."""

    session: "Session"
    identity: "_Identity"
    event_type: str
    payload: str
    seconds: float


class _Identity(NamedTuple):
    """The members of the envelope that stay the same between two events of a session, as JSON."""

    head: str
    tail: str
    is_withheld: bool
    is_reduced: bool


class _Unsendable(Exception):
    """Why an event stays here."""


class Session(events.Tracker):
    """A play session of one player. Make one with `Client.start_session`; it numbers its events."""

    def __init__(
        self, client: "Client", player_id: str, device: Mapping[str, Any], privacy: events.Privacy | None
    ) -> None:
        """`device` is the envelope's member `client`."""
        self.session_id, self.player_id = str(uuid.uuid4()), player_id
        self.began = self.next_heartbeat = client.settings.clock()
        self.next_heartbeat += client.settings.heartbeat_seconds
        self.sequence, self.has_ended = 0, False
        self._client, self._device = client, device
        self.set_privacy(privacy)

    def set_privacy(self, privacy: events.Privacy | None) -> None:
        """Say what the player agreed to, and their age group, from now on; None where nothing is asked.

        Without consent, an event names no player and has no free fields: the platform only counts it.
        """
        try:
            said: Mapping[str, Any] = privacy or {}
            is_withheld = said.get("analytics_storage", "granted") != "granted"
            is_reduced = is_withheld or said.get("age_group", "adult") != "adult"
            device = {
                name: value
                for name, value in self._device.items()
                if not (is_reduced and name in DEVICE_FIELDS)
            }
            player_id = f"withheld-{uuid.uuid4().hex}" if is_withheld else self.player_id
            session_id = str(uuid.uuid4()) if is_withheld else self.session_id
            tail = f'"client":{_encode(device)}' + (f',"privacy":{_encode(said)}' if said else "")
            head = f'"player_id":{_encode(player_id)},"session_id":"{session_id}"'
            self._identity = _Identity(head, tail, is_withheld, is_reduced)
        except Exception as error:
            self._client.report(f"the session of a player cannot be used: {error!r}")
            self._identity = _Identity('"player_id":null,"session_id":null', '"client":null', True, True)

    def end(self, end_reason: str = "exit") -> None:
        """Track session_end, with the length of the session."""
        if not self.has_ended:
            self.has_ended = True
            seconds = max(0, int(self._client.settings.clock() - self.began))
            self._track("session_end", {"duration_seconds": seconds, "end_reason": end_reason})

    def _track(self, event_type: str, payload: Mapping[str, Any] | None) -> None:
        try:
            identity, client = self._identity, self._client
            if identity.is_reduced and payload and "extra" in payload:
                payload = {name: value for name, value in payload.items() if name != "extra"}
            text = _encode(payload) if payload else "{}"
            client.note(_Noted(self, identity, event_type, text, client.settings.clock()))
        except Exception as error:
            self._client.refuse(f"{event_type} was not sent: malformed_json: {error}", is_new=True)


class Client:
    """Sends the events of a game. Nothing that it does raises, or waits for network or disk.

    Only `pause`, `flush` and `close` wait, for as long as their timeouts say.
    """

    def __init__(self, url: str, key: str, device: events.Device, settings: Settings | None = None) -> None:
        """`url`: the REST API without a path; `key`: the game's; `device`: platform, version and the like."""
        self.settings = settings or Settings()
        self._game_id = _encode(str(key).partition(".")[0])
        self._device: Mapping[str, Any] = {"sdk": SDK, **device}
        self._transport = Transport(url, key, self.settings, SDK)
        limits = self.settings
        self._queue = Queue(
            limits.directory,
            (limits.queue_bytes, limits.events_of_a_request(), limits.bytes_of_a_request()),
        )
        self._pending: deque[_Noted] = deque()
        self._pending_bytes = 0
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._noted, self._due, self._stopped = threading.Event(), threading.Event(), threading.Event()
        self._sessions: weakref.WeakSet[Session] = weakref.WeakSet()
        self._stats = Stats()
        # How many calls of `track` are in the queue, or will never be.
        self._stored = 0
        self._is_paused = self._is_closing = False
        # Events of earlier processes. All that came before `_wanted` are sent without waiting for a batch.
        self._recovered = self._wanted = self._queue.events + self._queue.dropped
        self._oldest: float | None = None
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=f"player-analytics-{name}", daemon=True)
            for name, work in (("store", self._store), ("send", self._send))
        ]
        if self._recovered:
            self._due.set()
        for thread in self._threads:
            thread.start()
        atexit.register(self.close)

    def start_session(
        self,
        player_id: str,
        payload: events.SessionStart | None = None,
        *,
        device: Mapping[str, Any] | None = None,
        privacy: events.Privacy | None = None,
    ) -> Session:
        """Begin a session of a player and track session_start; heartbeats follow each minute until it ends.

        `device` replaces members of the client's own, for a server whose players have devices of their own.
        """
        session = Session(self, player_id, {**self._device, **(device or {})}, privacy)
        session._track("session_start", payload)
        if self.settings.heartbeat_seconds > 0:
            with self._lock:
                self._sessions.add(session)
        return session

    def pause(self, timeout: float = 1.0) -> bool:
        """Stop heartbeats and begin to send what waits: the game goes to the background.

        Returns whether everything was in the queue after at most `timeout` seconds.
        A queue on disk survives the process.
        """
        self._is_paused = True
        with self._changed:
            tracked = self._stats.tracked
            self._request_all()
            return self._changed.wait_for(lambda: self._stored >= tracked, timeout)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._is_paused = False

    def flush(self, timeout: float) -> bool:
        """Send what waits now, and return whether nothing was left after at most `timeout` seconds."""
        self._request_all()
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting(), timeout)

    def close(self, timeout: float | None = None) -> None:
        """Store and send what waits for at most `timeout` seconds; what is left on disk is sent next time.

        The default is 2 seconds with a queue on disk. Without one, it is the time of one request, because
        what is not sent by then is lost.
        """
        with self._lock:
            if self._is_closing:
                return
            self._is_closing = True
        atexit.unregister(self.close)
        if timeout is None:
            timeout = self.settings.timeout_seconds if self._queue.is_volatile else SECONDS_TO_CLOSE
        until = time.monotonic() + timeout
        self._noted.set()
        self._threads[0].join(max(0.0, until - time.monotonic()))
        self.flush(max(0.0, until - time.monotonic()))
        self._stopped.set()
        self._due.set()
        self._threads[1].join(max(0.1, until - time.monotonic()))
        if lost := self._queue.close():
            self._stats.dropped += lost
            self.report(f"{lost} events were not sent, and there is no directory to keep them in")

    @property
    def stats(self) -> Stats:
        """What became of the events until now."""
        with self._lock:
            counted, dropped = self._stats, self._stats.dropped + self._queue.dropped
            return replace(counted, queued=self._waiting(), dropped=dropped)

    def report(self, problem: str) -> None:
        """Pass a problem on to the game."""
        with contextlib.suppress(Exception):
            (self.settings.on_problem or _log.warning)(problem)

    def refuse(self, problem: str, *, is_new: bool = False) -> None:
        """Count an event that cannot be sent; `is_new`: `note` has not seen it."""
        with self._lock:
            self._stats.tracked += is_new
            self._stats.invalid += 1
        self.report(problem)

    def note(self, noted: _Noted) -> None:
        """Keep a call of `track` until the storing thread takes it."""
        dropped = 0
        with self._lock:
            self._stats.tracked += 1
            if self._is_closing:
                self._stats.dropped += 1
                return
            self._pending.append(noted)
            self._pending_bytes += len(noted.payload) + OVERHEAD_BYTES
            while self._pending_bytes > self.settings.memory_bytes and len(self._pending) > 1:
                self._pending_bytes -= len(self._pending.popleft().payload) + OVERHEAD_BYTES
                dropped += 1
            self._stats.dropped += dropped
        if dropped:
            self.report(f"events come faster than they can be stored: {dropped} were dropped")
        if not self._noted.is_set():
            self._noted.set()

    def _waiting(self) -> int:
        return self._recovered + self._stats.tracked - self._settled()

    def _settled(self) -> int:
        """Return how many events need nothing any more; the oldest are settled first."""
        stats = self._stats
        return stats.accepted + stats.rejected + stats.invalid + stats.dropped + self._queue.dropped

    def _request_all(self) -> None:
        self._wanted = self._recovered + self._stats.tracked
        self._noted.set()
        self._due.set()

    def _guarded(self, work: Callable[[], None]) -> None:
        """Run a thread's work; a defect is reported, and the work goes on."""
        while not self._stopped.is_set():
            try:
                work()
                return
            except Exception as error:
                self.report(f"a defect of the client: {error!r}")
                self._stopped.wait(1)

    def _store(self) -> None:
        while True:
            if self._noted.wait(1.0 if self._sessions else None) and not self._is_closing:
                time.sleep(GATHER_SECONDS)
            self._noted.clear()
            closing = self._is_closing
            self._beat()
            with self._lock:
                noted, self._pending = self._pending, deque()
                self._pending_bytes, tracked = 0, self._stats.tracked
            if lines := [line for each in noted if (line := self._line(each))]:
                self._queue.append(lines)
                self._pass_on()
                self._oldest = self._oldest or time.monotonic()
                self._due.set()
            with self._changed:
                self._stored = tracked
                self._changed.notify_all()
            if closing:
                return

    def _beat(self) -> None:
        now = self.settings.clock()
        with self._lock:
            sessions = [*self._sessions]
        for session in sessions:
            if session.has_ended:
                with self._lock:
                    self._sessions.discard(session)
            elif now >= session.next_heartbeat and not self._is_paused and not self._is_closing:
                session.next_heartbeat = now + self.settings.heartbeat_seconds
                session._track("session_heartbeat", {"elapsed_seconds": max(0, int(now - session.began))})

    def _line(self, noted: _Noted) -> bytes | None:
        """Return an event's line of the queue, None where it cannot be sent."""
        try:
            return self._checked(noted)
        except _Unsendable as error:
            self.refuse(f"{noted.event_type} was not sent: {error}")
        except (ValueError, RecursionError) as error:
            self.refuse(f"{noted.event_type} was not sent: malformed_json: {error}")
        return None

    def _checked(self, noted: _Noted) -> bytes:
        session, identity = noted.session, noted.identity
        if (version := newest_version(noted.event_type)) is None:
            raise _Unsendable(unknown(str(noted.event_type)))
        # Of the clock, which event_time is corrected by. `sent_at` holds it until the event is sent.
        correction = self._transport.clock_error
        # Events without consent are not kept: they must leave no gap among those that are.
        sequence = 0 if identity.is_withheld else session.sequence
        line = (
            f'{{"event_id":"{uuid.uuid4()}","event_type":"{noted.event_type}","schema_version":"{version}",'
            f'"game_id":{self._game_id},{identity.head},"sequence":{sequence},'
            f'"event_time":"{timestamp(noted.seconds + correction)}",{identity.tail},'
            f'"payload":{noted.payload},"sent_at":{correction}}}\n'
        )
        data = line.encode()
        if (size := len(data) + STAMP_BYTES) > MAX_EVENT_BYTES:
            raise _Unsendable(f"too_large: an event has at most {MAX_EVENT_BYTES} bytes, this one {size}")
        if self.settings.validate:
            event = json.loads(line)
            event["sent_at"] = event["event_time"]
            # It is sent all the same: the quarantine keeps it, where it can be repaired and replayed.
            if found := problem(event):
                self.report(f"{noted.event_type} will be refused: {found}")
        if not identity.is_withheld:
            session.sequence += 1
        return data

    def _send(self) -> None:
        attempt, most = 0, self.settings.events_of_a_request()
        while not self._stopped.is_set():
            self._due.wait(self._seconds_until_due())
            self._due.clear()
            while not self._stopped.is_set() and self._is_due() and (head := self._queue.head()):
                number, lines = head
                answer = self._transport.send(lines[:most])
                self._settle(number, lines, answer, len(lines[:most]))
                if answer.is_too_much:
                    most = max(1, len(lines[:most]) // 2)
                elif not answer.retry:
                    attempt, most = 0, min(most * 2, self.settings.events_of_a_request())
                else:
                    # A clock that was just corrected deserves one attempt at once.
                    if not (answer.is_clock_wrong and attempt == 0):
                        self._stopped.wait(retry_delay(attempt, answer.retry_after, self.settings))
                    attempt += 1

    def _settle(self, number: int, lines: list[bytes], answer: Answer, count: int) -> None:
        for index, reason in answer.rejected.items():
            with contextlib.suppress(Exception):
                self.report(f"{json.loads(lines[index])['event_type']} was refused: {reason}")
        if answer.problem:
            self.report(answer.problem)
        self._queue.settle(number, [lines[index] for index in sorted(answer.retry)] + lines[count:])
        self._pass_on()
        self._oldest = time.monotonic() if self._queue.events else None
        with self._changed:
            self._stats.accepted += answer.accepted
            self._stats.rejected += len(answer.rejected)
            self._stats.requests += 1
            self._stats.failed_requests += bool(answer.retry)
            self._changed.notify_all()

    def _pass_on(self) -> None:
        while self._queue.problems:
            self.report(self._queue.problems.popleft())

    def _is_due(self) -> bool:
        is_wanted = self._settled() < self._wanted
        return is_wanted or self._queue.is_full_batch or self._seconds_until_due() == 0.0

    def _seconds_until_due(self) -> float | None:
        """Return seconds until the oldest event must be sent, None where there is none."""
        oldest = self._oldest
        return None if oldest is None else max(0.0, oldest + self.settings.batch_seconds - time.monotonic())
