"""Alerts on their way to people: one message for a game and kind of alert, and then none for some time.

Clients choose names that alerts are raised for, such as those of virtual currencies. So a client could
flood the topic if each alert were a message.
"""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from boto3.dynamodb.conditions import Attr

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

Row = dict[str, Any]

DETAIL_TYPE = "Player analytics alert"
QUIET = timedelta(minutes=15)
# An older alert is not sent: nobody can act on it any more.
TOLD_WITHIN = timedelta(hours=1)
MAX_SUBJECTS = 5
MAX_SUBJECT_CHARACTERS = 64
# Of alerts that came in a quiet time.
MAX_WAITING = 50
# What an alert tells people, by its kind.
SENTENCES = {
    "crash_spike": "{game_id} crashes more: {observed:,.1f} crashes in 1,000 minutes of play,"
    " {reference:,.1f} before",
    "economy_inflation": "{game_id} gives out much more than it takes back: {observed:,.0f} against"
    " {reference:,.0f} of {subject}",
    "players_drop": "{game_id} loses players: {observed:,.1f} sessions a minute send heartbeats,"
    " {reference:,.1f} before",
    "revenue_stop": "{game_id} sells nothing, after {reference:,.0f} purchases before",
}


class NotDelivered(Exception):
    """The bus did not take an alert: Lambda must deliver the batch again."""


@dataclass(frozen=True, slots=True)
class Alerts:
    """The event bus (low-level client), and the real-time table that remembers who was told what."""

    events: Any
    table: "Table"
    source: str
    # Where the page is, without a path; empty where nobody has said so.
    page_url: str = ""

    def send(self, rows: Iterable[Row], now: datetime) -> int:
        """Send the alerts of a batch; return how many were left out because their kind was told lately.

        An alert that the stream job repeats after a crash was told, and is left out. Raises NotDelivered.
        """
        groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            if now - datetime.fromisoformat(row["window_end"]) <= TOLD_WITHIN:
                groups[row["game_id"], row["alert"]].append(row)
        left_out = 0
        for (game_id, alert), found in groups.items():
            waiting = self._reserve(game_id, alert, found, now)
            if waiting is not None:
                self._put(game_id, alert, found, waiting)
            else:
                self._note(game_id, alert, found)
                left_out += len(found)
        return left_out

    def _note(self, game_id: str, alert: str, found: list[Row]) -> None:
        """Keep what an alert is about for the next message of its kind, as long as there is room.

        Otherwise a client that raises one alert in each quiet time would hide all others.
        """
        names = [row["subject"][:MAX_SUBJECT_CHARACTERS] for row in found if row["subject"]]
        if not names:
            return
        has_room = Attr("waiting").not_exists() | Attr("waiting").size().lt(MAX_WAITING)
        is_new = Attr("told").not_exists() | Attr("told").lt(_end(found))
        with suppress(self.table.meta.client.exceptions.ConditionalCheckFailedException):
            self.table.update_item(
                Key=_key(game_id, alert),
                UpdateExpression="ADD waiting :names",
                ConditionExpression=has_room & is_new,
                ExpressionAttributeValues={":names": set(names[:MAX_SUBJECTS])},
            )

    def _reserve(self, game_id: str, alert: str, found: list[Row], now: datetime) -> set[str] | None:
        """Let nobody else tell the alert now; return what waits to be told with it.

        None if the alert was told, or if somebody was told of its kind lately.
        Lambda delivers the batch again where the alert could not be sent, or where it is unknown whether
        this reservation was written: then `unsent` names the batch.
        """
        batch = f"{found[0]['window_end']} {found[0]['subject']}"
        is_new = Attr("told").not_exists() | Attr("told").lt(_end(found))
        is_quiet = Attr("quiet_until").not_exists() | Attr("quiet_until").lte(int(now.timestamp()))
        try:
            answer = self.table.update_item(
                Key=_key(game_id, alert),
                ReturnValues="ALL_NEW",
                UpdateExpression="SET quiet_until = :until, expires_at = :expiry, unsent = :batch",
                ConditionExpression=is_new & (is_quiet | Attr("unsent").eq(batch)),
                ExpressionAttributeValues={
                    ":until": int((now + QUIET).timestamp()),
                    ":expiry": int((now + QUIET + TOLD_WITHIN).timestamp()),
                    ":batch": batch,
                },
            )
        except self.table.meta.client.exceptions.ConditionalCheckFailedException:
            return None
        return {str(name) for name in answer["Attributes"].get("waiting", ())}  # type: ignore[union-attr]

    def _put(self, game_id: str, alert: str, found: list[Row], waiting: set[str]) -> None:
        worst = max(found, key=lambda row: abs(row["observed"] - row["reference"]))
        detail: Row = {
            "game_id": game_id,
            "alert": alert,
            "subject": subjects(waiting, (row["subject"] for row in found)),
            "observed": worst["observed"],
            "reference": worst["reference"],
            "window_end": _end(found),
        }
        detail["message"] = message(detail, self.page_url)
        entry = {"Source": self.source, "DetailType": DETAIL_TYPE, "Detail": orjson.dumps(detail).decode()}
        if self.events.put_events(Entries=[entry])["FailedEntryCount"]:
            raise NotDelivered(f"{alert} of {game_id}")
        self.table.update_item(
            Key=_key(game_id, alert),
            UpdateExpression="SET told = :end REMOVE unsent"
            + (" DELETE waiting :waiting" if waiting else ""),
            ExpressionAttributeValues={":end": _end(found)} | ({":waiting": waiting} if waiting else {}),
        )


def message(detail: Row, page_url: str) -> str:
    """Return an alert in a sentence for people, with the address of the page at that minute."""
    until = datetime.fromisoformat(detail["window_end"])
    said = f"{SENTENCES[detail['alert']].format(**detail)} (minutes until {until:%H:%M} UTC, {until:%d %B})."
    page = f"{page_url}/?game={detail['game_id']}&at={until:%Y-%m-%dT%H:%MZ}"
    return f"{said} {'Page' if page_url else 'On the page'}: {page}"


def subjects(waiting: Iterable[str], names: Iterable[str]) -> str:
    """Return some names for people, those that waited first, and how many others there are."""
    cut = sorted({name[:MAX_SUBJECT_CHARACTERS] for name in names})
    found = list(dict.fromkeys([*sorted(waiting), *cut]))
    shown = ", ".join(found[:MAX_SUBJECTS])
    more = len(found) - MAX_SUBJECTS
    return f"{shown} and {more} more" if more > 0 else shown


def _end(found: Iterable[Row]) -> str:
    return max(str(row["window_end"]) for row in found)


def _key(game_id: str, alert: str) -> dict[str, str]:
    return {"series": f"{game_id}#told", "window": alert}
