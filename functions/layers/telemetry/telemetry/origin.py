"""What the platform knows of an event's arrival, from elsewhere than the event itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from telemetry.key_classes import KeyClass

Source = Literal["rest", "stream", "replay"]


@dataclass(frozen=True, slots=True)
class Origin:
    """When an event arrived (aware), how, from which country, by which class of key, whether a bot sent it.

    `country` is ISO 3166-1 alpha-2 as the edge saw it, None where no edge was passed.
    """

    received_at: datetime
    source: Source
    country: str | None = None
    bot: bool = False
    key_class: KeyClass = "client"
