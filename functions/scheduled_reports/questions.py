"""Saved questions in the weekly report: asked of the metrics API, which answers as it answers everybody."""

import csv
import io
import json
import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from botocore.exceptions import BotoCoreError, ClientError
from telemetry import logs, money
from telemetry.clients import client

from scheduled_reports.figures import Period

# All games of a run wait no longer than RUN_SECONDS together, and a game no longer than half of that: slow
# questions of one game leave time to others.
QUESTION_SECONDS, GAME_SECONDS, RUN_SECONDS, ASK_AGAIN_SECONDS = 60, 120, 240, 2
MAX_ROWS, MAX_COLUMNS, MAX_SIGNS = 10, 8, 40
# What the API puts before a text that a spreadsheet would run.
GUARDED = re.compile(r"'(?=[=+\-@\t\r])")
# Columns of an answer that have fractions. Others may hold names such as versions.
FRACTIONS = {"mean", "median_seconds", "of_first", "of_previous", "percentile", "share", "sum"}
# Amounts are in these units of a currency, by the end of a property's name.
UNITS = {"minor": "minor units", "micros": "micros"}
CURRENCY = "payload.currency"
SILENT = "The metrics API does not answer at the moment."
LATE = "It took too long. Open the dashboard for its answer."
NOT_ASKED = "It was not asked: earlier questions took too long."

logger = logs.logger()


@dataclass(frozen=True, slots=True)
class Answered:
    """A saved question with the first rows of its answer, or the reason why it has none."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    more_rows: int = 0
    failure: str = ""
    link: str = ""


class NoAnswer(Exception):
    """The message is for the readers of the report."""


@dataclass(slots=True)
class Questions:
    """The metrics API's function, for one run. Without its name nothing is asked.

    `left` are the seconds that the run may still wait for answers.
    """

    function: str
    page_url: str = ""
    left: float = RUN_SECONDS

    def of_week(self, game_id: str, period: Period) -> list[Answered]:
        """Return answers of the questions that the game's dashboard marks for the mail, of a week only."""
        if period.kind != "week" or not self.function:
            return []
        days = {"from": str(period.days[0]), "to": str(period.last)}
        link = f"{self.page_url}/dashboard?{urlencode({'game': game_id, **days})}" if self.page_url else ""
        try:
            board = json.loads(self._asked(f"/v1/games/{game_id}/dashboard", {}, time.monotonic()))
            mailed = [one for one in board["questions"] if one["name"] in board["mailed"]]
        except Exception as error:
            return [_failed("Saved questions", game_id, error, link)]
        began = time.monotonic()
        until = began + min(GAME_SECONDS, self.left)
        answered = [self._answered(game_id, one, days, link, until) for one in mailed]
        self.left -= time.monotonic() - began
        return answered

    def _answered(
        self, game_id: str, one: dict[str, Any], days: dict[str, str], link: str, until: float
    ) -> Answered:
        path = f"/v1/games/{game_id}/questions/{one['name']}/answer"
        try:
            if time.monotonic() >= until:
                raise NoAnswer(NOT_ASKED)
            until = min(until, time.monotonic() + QUESTION_SECONDS)
            text = self._asked(path, days | {"format": "csv"}, until)
            header, *cells = csv.reader(io.StringIO(text))
            rows = _figures([dict(zip(header, row, strict=True)) for row in cells], one["question"])
        except Exception as error:
            return _failed(one["title"], game_id, error, link)
        shown = rows[:MAX_ROWS]
        return Answered(
            one["title"],
            tuple(name.rpartition(".")[2].replace("_", " ") for name in list(rows[0])[:MAX_COLUMNS])
            if rows
            else (),
            tuple(tuple(_shown(name, row[name]) for name in list(row)[:MAX_COLUMNS]) for row in shown),
            len(rows) - len(shown),
            link=link,
        )

    def _asked(self, path: str, query: dict[str, str], until: float) -> str:
        """Return the body of an answer, which is asked for until it is there. Raises NoAnswer."""
        while True:
            status, body = self._get(path, query)
            if status != HTTPStatus.ACCEPTED:
                break
            if time.monotonic() > until:
                raise NoAnswer(LATE)
            time.sleep(ASK_AGAIN_SECONDS)
        if status == HTTPStatus.OK:
            return body
        raise NoAnswer(_reason(status, body))

    def _get(self, path: str, query: dict[str, str]) -> tuple[int, str]:
        """Return status and body of what the function answers to a request as API Gateway hands it on."""
        request = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": urlencode(query),
            "headers": {"host": "localhost"},
            "requestContext": {
                "authorizer": {"iam": {"userArn": "scheduled_reports"}},
                "http": {"method": "GET", "path": path, "sourceIp": "127.0.0.1"},
            },
            "isBase64Encoded": False,
        }
        try:
            payload = client("lambda").invoke(
                FunctionName=self.function, Payload=json.dumps(request).encode()
            )
            answer = json.loads(payload["Payload"].read())
            return answer["statusCode"], answer["body"]
        except (BotoCoreError, ClientError, KeyError, TypeError, ValueError) as error:
            logger.warning("The metrics API does not answer", exc_info=error)
            return 0, ""


def _figures(rows: list[dict[str, str]], question: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of an answer for the width of a mail, with amounts of money as people read them."""
    if question["kind"] == "retention":
        # Days that are not over have no players yet.
        rows = [row for row in rows if row["players"] != "0"]
    left_out = {name for name in ("from", "to") if len({row.get(name) for row in rows}) == 1}
    if all(row.get("from") == row.get("to") for row in rows):
        left_out.add("to")
    measure = question.get("measure") or {}
    of, _, amount = str(measure.get("field")).rpartition(".")[2].rpartition("_")
    unit = UNITS.get(amount)
    has_currency = bool(rows) and CURRENCY in rows[0]
    head = f"{measure.get('of')} of {of}" + ("" if has_currency else f" ({unit})")
    return [
        dict(
            (head, _amount(cell, amount, row.get(CURRENCY, "")))
            if unit and name == measure["of"]
            else (name, cell)
            for name, cell in row.items()
            if name not in left_out
        )
        for row in rows
    ]


def _amount(cell: str, unit: str, currency: str) -> str:
    """Return an amount in the units of a currency; without one it stays as it is."""
    if not cell or not currency:
        return cell
    amount = float(cell)
    return money.major(money.minor(amount, currency) if unit == "micros" else amount, currency, ",")


def _failed(title: str, game_id: str, error: Exception, link: str) -> Answered:
    """Return what stands in the mail instead of an answer. Nothing of it may stop the mail."""
    logger.error("A saved question has no answer", game_id=game_id, question=title, exc_info=error)
    return Answered(title, failure=str(error) if isinstance(error, NoAnswer) else SILENT, link=link)


def _reason(status: int, body: str) -> str:
    """Return why there is no answer. What the API says of a refused question is for people."""
    try:
        problem = (
            json.loads(body) if status in (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY) else {}
        )
        details = [error["detail"] for error in problem.get("errors") or []] or [problem["detail"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return SILENT
    return "; ".join(details)[:300]


def _shown(column: str, cell: str) -> str:
    """Return a cell for people. What is no figure of the question stays as it is."""
    text = GUARDED.sub("", cell, count=1) if cell.startswith("'") else cell
    try:
        if column in FRACTIONS and cell:
            text = f"{float(cell):,.3f}".rstrip("0").rstrip(".")
    except ValueError:
        pass
    return text if len(text) <= MAX_SIGNS else f"{text[: MAX_SIGNS - 1]}…"
