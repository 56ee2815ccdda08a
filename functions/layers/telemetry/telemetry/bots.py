"""Does a client declare itself a program and not a player? Flagged, not refused: whoever counts decides."""

import re
from functools import lru_cache

# HTTP stacks of apps and engines. What precedes them is the name of the app, or of the player's phone.
_APP = re.compile(
    r"CFNetwork/|Dalvik/|okhttp/|UnityPlayer/|UnityWebRequest/|\+\+UE[45]\+|X-UnrealEngine|Godot",
    re.IGNORECASE,
)
# Crawlers, monitors and browser automation name themselves as a product with a version, or link to their
# owner. HTTP libraries are not among them, for game engines use them too.
_DECLARED = re.compile(
    r"\+https?://|(?<=[a-z])(?<!ro)bot(-\w+)*/|(crawler|spider)/|headless|phantomjs|selenium|webdriver|playwright"
    r"|puppeteer|lighthouse|pingdom|uptimerobot|\b(k6|locust|jmeter|gatling|vegeta)\b",
    re.IGNORECASE,
)


@lru_cache(1024)
def is_bot(declaration: str) -> bool:
    """Tell from a User-Agent header or the event's `client.sdk`."""
    text = declaration[:512]
    return bool(_DECLARED.search(text)) and not _APP.search(text)
