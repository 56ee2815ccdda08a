"""What arrived at the REST API behind the relay, and in which order it was sent."""

from collections import defaultdict
from typing import Any

from client_relay import Relay

Event = dict[str, Any]


def delivered(relay: Relay) -> dict[str, Event]:
    """Return the events that arrived by event_id; what arrived again must be the same event."""
    found: dict[str, Event] = {}
    for event in relay.api.stream.events():
        known = found.setdefault(event["event_id"], event)
        assert {**known, "sent_at": 0} == {**event, "sent_at": 0}
    return found


def numbers(events: dict[str, Event]) -> list[int]:
    """Return the values of the design events, which the game numbered."""
    return sorted(event["payload"]["value"] for event in events.values() if event["event_type"] == "design")


def assert_order(relay: Relay) -> None:
    """Each request has a session's events in their order, the first of them what was sent before or next."""
    last: dict[str, int] = {}
    for request in relay.requests:
        sent: dict[str, list[int]] = defaultdict(list)
        for event in request.events:
            sent[event["session_id"]].append(event["sequence"])
        for session, sequences in sent.items():
            assert sequences == sorted(sequences)
            # Neither a gap nor a later event before an earlier one.
            assert min(sequences) <= last.get(session, -1) + 1
            new = [number for number in sequences if number > last.get(session, -1)]
            assert new == list(range(last.get(session, -1) + 1, last.get(session, -1) + 1 + len(new)))
            last[session] = max(last.get(session, -1), *sequences)
    assert last


def assert_whole_sessions(events: dict[str, Event]) -> None:
    """Nothing is missing in the sessions that arrived."""
    by_session: dict[str, list[int]] = defaultdict(list)
    for event in events.values():
        by_session[event["session_id"]].append(event["sequence"])
    for sequences in by_session.values():
        assert sorted(sequences) == list(range(len(sequences)))
