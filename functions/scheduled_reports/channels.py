"""Where a report goes: the lake, people's mail, a chat."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ConnectionError

from scheduled_reports import plain_text, render
from scheduled_reports.ledger import RefusedError
from scheduled_reports.pictures import Picture
from scheduled_reports.report import Report

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sesv2.client import SESV2Client

FORMS = {
    "csv": (plain_text.table, "text/csv; charset=utf-8"),
    "html": (render.html, "text/html; charset=utf-8"),
}
WEBHOOK_SECONDS = 5
WEBHOOK_PAUSES = (1, 3)
# Chats cut longer messages.
WEBHOOK_CHARACTERS = 3000


def archive(s3: "S3Client", bucket: str, report: Report) -> None:
    """Write reports/<game>/<period>/<last day>.{html,csv}; the same again replaces it."""
    for suffix, (form, kind) in FORMS.items():
        key = f"reports/{report.name}.{suffix}"
        s3.put_object(Bucket=bucket, Key=key, Body=form(report).encode(), ContentType=kind)


def message(report: Report, sender: str, addresses: Sequence[str]) -> bytes:
    """Return the mail: plain text, or the page with its pictures by Content-ID, which need no download."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = sender, ", ".join(addresses)
    title = "".join(sign if sign.isprintable() else " " for sign in report.title)
    mail["Subject"] = f"{title}: {report.period.kind} to {report.period.last}"
    mail.set_content(plain_text.text(report))
    name: Callable[[Picture], str] = lambda picture: f"{picture.name}@{report.game_id}"  # noqa: E731
    mail.add_alternative(render.html(report, lambda picture: f"cid:{name(picture)}"), subtype="html")
    (_, page) = mail.iter_parts()
    for picture in report.pictures:
        page.add_related(
            picture.png, "image", "png", cid=f"<{name(picture)}>", filename=f"{picture.name}.png",
            disposition="inline",
        )  # fmt: skip
    return bytes(mail)


@dataclass(frozen=True, slots=True)
class Mail:
    """SES (sesv2 client that does not repeat a call on its own), as one sender."""

    ses: "SESV2Client"
    sender: str
    configuration_set: str

    def send(self, mail: bytes, addresses: Sequence[str]) -> None:
        """Send one mail. Raises RefusedError where SES did not take it."""
        try:
            self.ses.send_email(
                FromEmailAddress=self.sender,
                Destination={"ToAddresses": list(addresses)},
                ConfigurationSetName=self.configuration_set,
                Content={"Raw": {"Data": mail}},
            )
        except ConnectionError as error:
            raise RefusedError(f"SES: {type(error).__name__}") from error
        except ClientError as error:
            # A fault of its own may come after it took the mail.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            raise RefusedError(f"SES: {error.response['Error']['Code']}") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The message goes where the secret says, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


_open = urllib.request.build_opener(_NoRedirect).open


def chat_text(text: str) -> str:
    """Return a text for a chat, which reads &, < and > as markup; a long one is cut between two signs."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(escaped) <= WEBHOOK_CHARACTERS:
        return escaped
    cut = escaped[: WEBHOOK_CHARACTERS - 1]
    if (entity := cut.rfind("&")) > cut.rfind(";"):
        cut = cut[:entity]
    return f"{cut}…"


def post(url: str, report: Report, pauses: Sequence[float] = WEBHOOK_PAUSES) -> None:
    """Post the brief to a Slack-compatible webhook, again after 429, 5xx and silence.

    Raises RefusedError, which does not hold the URL: it is a secret.
    """
    body = json.dumps({"text": chat_text(plain_text.brief(report))}).encode()
    for pause in (*pauses, None):
        try:
            request = urllib.request.Request(url, body, {"content-type": "application/json"})  # noqa: S310
            with _open(request, timeout=WEBHOOK_SECONDS):
                return
        except urllib.error.HTTPError as error:
            again, reason = error.code in (429, 500, 502, 503, 504), str(error.code)
        except (OSError, ValueError, HTTPException) as error:
            again, reason = True, type(error).__name__
        if pause is None or not again:
            raise RefusedError(f"webhook: {reason}")
        time.sleep(pause)
