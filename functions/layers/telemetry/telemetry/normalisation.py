"""One spelling for what different clients spell differently, so that metrics group what belongs together."""

import re
from functools import lru_cache
from typing import Any

from telemetry.email_masking import mask

PLATFORMS = {
    "ios": ("ios", "iphone", "ipad", "ipados", "iphoneplayer", "tvos", "visionos", "apple"),
    "android": ("android", "androidtv", "amazon", "fireos", "firetv", "kindle"),
    "windows": (
        "windows",
        "win",
        "win32",
        "win64",
        "pc",
        "windowsplayer",
        "uwp",
        "wsaplayerarm",
        "wsaplayerx64",
        "wsaplayerx86",
        "steam",
    ),
    "macos": ("macos", "mac", "osx", "darwin", "macosx", "osxplayer"),
    "linux": ("linux", "linuxplayer", "steamdeck", "steamos"),
    "playstation": ("playstation", "ps4", "ps5", "psn", "playstation4", "playstation5"),
    "xbox": (
        "xbox",
        "xboxone",
        "xboxseries",
        "xboxseriesx",
        "xboxseriess",
        "xboxseriesxs",
        "xbox360",
        "gamecore",
        "gamecorexboxone",
        "gamecorexboxseries",
    ),
    "switch": ("switch", "nintendo", "nintendoswitch", "nintendoswitch2", "switch2"),
    "web": ("web", "webgl", "browser", "html5", "webglplayer"),
}
# Clients are of few kinds; what a hostile one makes up passes through.
MAX_REMEMBERED = 1024
_platform_of = {name: platform for platform, names in PLATFORMS.items() for name in names}
_other = re.compile("[^a-z0-9]")
_numbers = re.compile(r"(\d{1,32})(?:\.(\d{1,32}))?(?:\.(\d{1,32}))?", re.ASCII)


@lru_cache(MAX_REMEMBERED)
def platform(text: str) -> str:
    """Return the platform of the envelope that a client means, "other" where none is known."""
    return _platform_of.get(_other.sub("", text.lower()), "other")


@lru_cache(MAX_REMEMBERED)
def version(text: str) -> str:
    """Return MAJOR.MINOR.PATCH of an app version: "1.4", "01.4.0+b7" and "1.4.0.2-rc" are all 1.4.0."""
    found = _numbers.match(text)
    return ".".join(str(int(part or 0)) for part in found.groups()) if found else "0.0.0"


def tidy(value: Any) -> Any:
    """Return a JSON value with e-mail addresses masked, and 7.0 as 7: JSON Schema takes both as integer."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {mask(key): tidy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [tidy(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
