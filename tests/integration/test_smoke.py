"""The smoke test that ends each apply, on the emulator."""

from typing import Any

import pytest
from tools import CommandError
from tools.progress import LONGEST_SECONDS
from tools.smoke import smoke

pytestmark = pytest.mark.integration


def test_an_event_is_seen_soon_after_it_was_sent(applied: Any) -> None:
    assert smoke(applied.platform, applied.game_id, applied.key, LONGEST_SECONDS) > 0


def test_a_refused_event_is_told(applied: Any) -> None:
    with pytest.raises(CommandError, match="the REST API answered 40"):
        smoke(applied.platform, applied.game_id, f"{applied.game_id}.guess")
