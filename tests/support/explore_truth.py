"""What questions about single events mean, in plain Python over bronze: no code of the API, no SQL."""

import math
import random
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

Event = dict[str, Any]
Question = dict[str, Any]
NUMBERS = ("integer", "number")


def value(event: Event, name: str) -> Any:
    """Return the value of a field of an event, as JSON has it."""
    found: Any = event
    for part in name.split("."):
        found = (found or {}).get(part)
    return found


def holds(event: Event, one: Question) -> bool:
    """Tell whether an event passes a filter."""
    found, values = value(event, one["field"]), one.get("values", [])
    match one.get("op", "is"):
        case "is_set":
            return found is not None
        case "is_not_set":
            return found is None
        case "is":
            return found in values and found is not None
        case "is_not":
            return found not in values
        case "at_least":
            return found is not None and found >= values[0]
        case "at_most":
            return found is not None and found <= values[0]
    raise AssertionError(one)


def start_of(day: date, grain: str) -> date:
    if grain == "range":
        return date.min
    if grain == "day":
        return day
    return day - timedelta(days=day.weekday()) if grain == "week" else day.replace(day=1)


def percentile(values: list[Any], percent: int) -> Fraction:
    """Return the value at a place between 0 and the last one, on the line between its neighbours."""
    ordered = sorted(map(Fraction, values))
    place = Fraction(percent, 100) * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (place - math.floor(place)) * (high - low)


def of_game(lines: list[Event], game: str, asked: Question) -> list[Event]:
    """Return a game's events of the range."""
    return [
        line
        for line in lines
        if line["game_id"] == game and asked["from"] <= line["event_date"] <= asked["to"]
    ]


def written(found: Any) -> Any:
    """Return a value as the slices of an answer write it."""
    return {True: "true", False: "false"}[found] if isinstance(found, bool) else found


def ordered(events: list[Event]) -> list[Event]:
    """Return events in the order in which they happened."""
    return sorted(events, key=lambda one: (one["corrected_time"], one["sequence"], one["event_id"]))


def players(events: list[Event]) -> dict[str, list[Event]]:
    """Return the events of each player, in order."""
    found: dict[str, list[Event]] = {}
    for event in ordered(events):
        found.setdefault(event["player_id"], []).append(event)
    return found


def passes(event: Event, chosen: Question) -> bool:
    """Tell whether an event is of the type that is chosen, and passes its filters."""
    return chosen.get("event") in (None, event["event_type"]) and all(
        holds(event, one) for one in chosen.get("where", [])
    )


def members(lines: list[Event], game: str, asked: Question) -> dict[str, int]:
    """Return the players who have at least so many of the chosen events, and how many each has."""
    found: dict[str, int] = {}
    for line in of_game(lines, game, asked):
        if passes(line, asked):
            found[line["player_id"]] = found.get(line["player_id"], 0) + 1
    return {player: times for player, times in found.items() if times >= asked.get("at_least", 1)}


def of_cohort(lines: list[Event], game: str, asked: Question) -> list[Event]:
    """Return the events that count: those of the players of the question's cohort."""
    if "cohort" not in asked:
        return lines
    days = {"from": asked["from"], "to": asked["to"]}
    players = members(lines, game, days | asked["cohort"])
    return [line for line in lines if line["player_id"] in players]


def with_cohort(chance: random.Random, lines: list[Event], asked: Question) -> Question:
    """Return a question, or the same one about a cohort of the events that there are."""
    if chance.random() < 0.6:
        return asked
    line = chance.choice(lines)
    cohort: Question = {"at_least": chance.choice((1, 1, 2, 3, 5))}
    if chance.random() < 0.7:
        cohort["event"] = line["event_type"]
    if chance.random() < 0.4:
        cohort["where"] = [filtered(chance, line, chance.choice(("platform", "country", "bot")), None)]
    day = date.fromisoformat(line["event_date"])
    if chance.random() < 0.5:
        cohort |= {"from": str(day - timedelta(days=chance.randrange(3)))}
        cohort["to"] = str(day + timedelta(days=chance.randrange(5)))
    return asked | {"cohort": cohort}


def filtered(chance: random.Random, line: Event, name: str, kind: str | None) -> Question:
    """Return a filter of a field, mostly one that the event passes."""
    found = value(line, name)
    if found is None or chance.random() < 0.2:
        return {"field": name, "op": chance.choice(("is_set", "is_not_set"))}
    if kind in NUMBERS and found < 10**15:
        return {
            "field": name,
            "op": chance.choice(("at_least", "at_most", "is", "is_not")),
            "values": [found],
        }
    if kind in NUMBERS:
        return {"field": name, "op": "at_least", "values": [2]}
    return {"field": name, "op": chance.choice(("is", "is_not")), "values": [found]}
