"""Does a client declare itself a program and not a player? Flagged, not refused: whoever counts decides."""

import re
from functools import lru_cache

# Words by which crawlers, monitors and browser automation name themselves; HTTP libraries are not
# among them, for game engines use them too.
_DECLARED = re.compile(
    r"bot\b|bot/|crawl|spider|headless|phantomjs|selenium|webdriver|playwright|puppeteer"
    r"|lighthouse|pingdom|uptime|\bk6/|locust|jmeter|gatling|vegeta",
    re.IGNORECASE,
)


@lru_cache(1024)
def is_bot(declaration: str) -> bool:
    """Tell from a User-Agent header or the event's `client.sdk`."""
    return bool(_DECLARED.search(declaration[:512]))
