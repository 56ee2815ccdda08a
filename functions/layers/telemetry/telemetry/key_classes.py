"""What a key may send. A client key is in a game's build, where anybody can read it; a server key is not."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Self

from telemetry import catalog
from telemetry.event import Event
from telemetry.money import minor_digits, units_a_dollar
from telemetry.rejection import Reason, Rejection, joined

KeyClass = Literal["client", "server"]
CLASSES: tuple[KeyClass, ...] = ("client", "server")
# Keywords of the schemas: the class that a type of events needs; the greatest value from a client key.
SENT_BY, CLIENT_MAXIMUM = "x-sent-by", "x-client-maximum"
# What SENT_BY may be. No game may let its client keys send a type of the last one.
SENDERS = (*CLASSES, "server-only")


def parse(text: object) -> KeyClass:
    """Return a class; whatever is none is the one with fewer rights."""
    return "server" if text == "server" else "client"


@cache
def client_types() -> frozenset[str]:
    """Return the event types that client keys may send unless a game says otherwise."""
    documents = catalog.documents()
    return frozenset(
        catalog.name_of(key)
        for key, schema in documents.items()
        if not key.startswith(catalog.COMMON) and schema.get(SENT_BY) == "client"
    )


@cache
def server_only_types() -> frozenset[str]:
    """Return the event types that no client key may send, whatever a game says."""
    documents = catalog.documents()
    return frozenset(
        catalog.name_of(key)
        for key, schema in documents.items()
        if not key.startswith(catalog.COMMON) and schema.get(SENT_BY) == "server-only"
    )


@cache
def client_maxima() -> Mapping[str, Mapping[str, int]]:
    """Return the greatest absolute values that client keys may send, by event type and field of its payload.

    Those of money are in dollars: see `maximum`.
    """
    found: dict[str, dict[str, int]] = {}
    for (event_type, _), schema in catalog.payloads(catalog.documents()).items():
        for name, field in schema["properties"].items():
            if CLIENT_MAXIMUM in field:
                found.setdefault(event_type, {})[name] = field[CLIENT_MAXIMUM]
    return found


def maximum(field: str, value: int, currency: str) -> float:
    """Return a field's maximum in the unit of an event: that of money follows the size of its currency."""
    match field:
        case "amount_minor" | "tax_minor" | "store_fee_minor":
            return value * units_a_dollar(currency) * float(10 ** minor_digits(currency)) / 100
        case "revenue_micros":
            return value * units_a_dollar(currency)
    return value


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """What the client keys of one game may send: types of events, and values where the game set its own."""

    types: frozenset[str]
    maxima: Mapping[str, int]

    @classmethod
    def of(cls, game: Mapping[str, Any]) -> Self:
        """Return the limits in a game's item (`client_limits`); the catalogue's where it has none."""
        given = game.get("client_limits", {})
        types: Iterable[str] = given.get("types", ())
        maxima = {str(name): int(value) for name, value in given.get("maxima", {}).items()}
        return cls((frozenset(types) or client_types()) - server_only_types(), maxima)

    def check(self, event: Event) -> None:
        """Raise Rejection with all that `refused` yields."""
        if found := list(self.refused(event)):
            raise joined(found)

    def refused(self, event: Event) -> Iterator[Rejection]:
        """Yield not_allowed, with the pointer of the field, for all that only a server may send."""
        kind, payload = event["event_type"], event["payload"]
        if kind not in self.types:
            yield Rejection(Reason.NOT_ALLOWED, f"a client key may not send {kind}", "/event_type")
        for field, value in client_maxima().get(kind, {}).items():
            limit = maximum(field, self.maxima.get(f"{kind}.{field}", value), str(payload.get("currency")))
            if abs(payload.get(field, 0)) > limit:
                message = f"a client key may send {limit:.0f} at most, not {payload[field]}"
                yield Rejection(Reason.NOT_ALLOWED, message, f"/payload/{field}")
