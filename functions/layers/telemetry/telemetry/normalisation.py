"""One spelling for what different clients spell differently, so that metrics group what belongs together."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from telemetry.email_masking import mask

# By the platform of the envelope, the names that engines, consoles and stores give it, in lower case and
# without punctuation: Unity's RuntimePlatform and Unity Analytics, Unreal's platform names, Godot's
# OS.get_name(), GameMaker's os_type, Roblox's Enum.Platform, Flutter, Cocos, Defold, Node and Python.
PLATFORMS = {
    "ios": (
        *("ios", "iphone", "iphoneos", "iphoneplayer", "ipad", "ipados", "ipod", "osios"),
        *("apple", "appletv", "tvos", "ostvos", "visionos", "visionosplayer", "watchos"),
        *("iosmobile", "iostablet", "iostv"),
    ),
    "android": (
        *("android", "androidtv", "androidplayer", "osandroid", "googletv", "googleplay", "chromeos"),
        *("androidmobile", "androidtablet", "androidconsole"),
        *(
            "amazon",
            "amazonfiretv",
            "fireos",
            "firetv",
            "kindle",
            "quest",
            "metaquest",
            "metaos",
            "oculusquest",
        ),
    ),
    "windows": (
        *("windows", "win", "win32", "win64", "pc", "oswindows", "oswin32", "windowsplayer", "windowseditor"),
        *("windowsserver", "windowsclient", "windowsnoeditor", "windowsdesktop", "wingdk", "gamecorewindows"),
        *("uwp", "osuwp", "wsa", "wsaplayerx86", "wsaplayerx64", "wsaplayerarm", "wsaplayerarm64"),
        *("pcclient", "windowsmobile", "windowstablet"),
        *("metroplayerx86", "metroplayerx64", "metroplayerarm", "microsoftstore", "steam", "hololens"),
    ),
    "macos": (
        *("macos", "mac", "osx", "macosx", "darwin", "osmacosx", "osmacos", "maccatalyst"),
        *("osxplayer", "osxeditor", "osxserver", "osxdashboardplayer", "macclient", "macserver"),
    ),
    "linux": (
        *("linux", "linuxplayer", "linuxeditor", "linuxserver", "linuxclient", "linuxarm64", "linuxaarch64"),
        *("linuxheadlesssimulation", "embeddedlinuxx64", "embeddedlinuxarm64", "oslinux", "x11", "ubuntu"),
        *("steamdeck", "steamos", "freebsd", "openbsd", "netbsd", "bsd"),
    ),
    "playstation": (
        *(
            "playstation",
            "psn",
            "ps3",
            "ps4",
            "ps5",
            "osps3",
            "osps4",
            "osps5",
            "ps4pro",
            "ps5pro",
            "psp2",
            "vita",
        ),
        *("playstation3", "playstation4", "playstation4pro", "playstation5", "playstation5pro", "psvita"),
    ),
    "xbox": (
        *("xbox", "xbox360", "xboxone", "xboxones", "xboxonex", "xboxonegdk", "xboxseries", "xboxseriesx"),
        *("xboxseriess", "xboxseriesxs", "xboxgdk", "xsx", "xss", "osxboxone", "osxboxseriesxs", "osgdk"),
        *("gamecore", "gamecorescarlett", "gamecorexboxone", "gamecorexboxseries"),
    ),
    "switch": (
        *("switch", "switch2", "nintendo", "nintendoswitch", "nintendoswitch2", "nintendoswitchlite"),
        *("nintendoswitcholed", "nx", "osswitch", "osswitch2"),
    ),
    "web": (
        *("web", "webgl", "webgpu", "webglplayer", "webplayer", "webgameroom", "browser", "html5", "wasm"),
        *("emscripten", "mobilebrowser", "desktopbrowser", "osxwebplayer", "windowswebplayer", "osoperagx"),
        *("facebookinstantgames", "wechatgame", "weixinminigameplayer"),
    ),
}
# ISO 3166-1 keeps these codes for users, or does not give them to a country. XK is Kosovo by common use.
NO_COUNTRY = frozenset(
    {"AA", "AP", "EU", "ZZ"}
    | {f"Q{letter}" for letter in "MNOPQRSTUVWXYZ"}
    | {f"X{letter}" for letter in "ABCDEFGHIJLMNOPQRSTUVWXYZ"}
)
# An optional field of the envelope's `client` that an engine leaves empty says nothing.
OPTIONAL = ("build", "os_version", "device_model", "locale", "country", "sdk")
MAX_LOCALE = 35
# Clients are of few kinds; what a hostile one makes up passes through.
MAX_REMEMBERED = 1024
_platform_of = {name: platform for platform, names in PLATFORMS.items() for name in names}
_other = re.compile("[^a-z0-9]")
_locale = re.compile("[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*")
_time = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,6})?\d{0,64}([Zz]|[+-]\d\d:?\d\d)", re.ASCII
)
# Unreal's FGuid writes digits alone, and .NET's format "B" has braces.
_digits = re.compile("[0-9A-Fa-f]{32}")
_braced = re.compile(r"\{([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}")
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


def country(code: str | None) -> str | None:
    """Return a two-letter code where it is a country's, None for one that says that none is known."""
    return None if code in NO_COUNTRY else code


def repaired(value: Any) -> Any:
    """Return an event in the catalogue's form where an engine's own form is unambiguous.

    That is: times with more digits than microseconds have or with an offset, UUIDs without hyphens or in
    braces, engines' names of platforms, POSIX and Java locales, and empty optional fields of `client` and
    `dimensions`. It is `value` itself where nothing changes.
    """
    if not isinstance(value, dict):
        return value
    changed: dict[str, Any] = {}
    for name in ("event_time", "sent_at"):
        if isinstance(text := value.get(name), str) and (time := utc(text)) != text:
            changed[name] = time
    for name in ("event_id", "session_id"):
        if isinstance(text := value.get(name), str) and (found := uuid(text)) != text:
            changed[name] = found
    client = value.get("client")
    if isinstance(client, dict) and (tidy_client := _repaired_client(client)) != client:
        changed["client"] = tidy_client
    told = value.get("dimensions")
    if isinstance(told, dict) and ("" in told.values() or None in told.values()):
        changed["dimensions"] = {name: one for name, one in told.items() if one not in ("", None)}
    return value | changed if changed else value


def uuid(text: str) -> str:
    """Return a UUID as the envelope has it, with hyphens and small letters; other text as it is."""
    if _digits.fullmatch(text):
        text = text.lower()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    found = _braced.fullmatch(text)
    return found[1].lower() if found else text


def utc(text: str) -> str:
    """Return an RFC 3339 time in UTC with Z and at most microseconds; other text as it is."""
    parts = _time.fullmatch(text)
    if not parts:
        return text
    day, time, fraction, offset = parts.groups("")
    if offset.strip("+-0:zZ"):
        try:
            moment = datetime.fromisoformat(f"{day}T{time}{fraction}{offset}").astimezone(UTC)
        except (ValueError, OverflowError):
            return text
        return moment.replace(tzinfo=None).isoformat() + "Z"
    return f"{day}T{time}{fraction}Z"


@lru_cache(MAX_REMEMBERED)
def locale(text: str) -> str | None:
    """Return a locale as BCP 47's language, script and region; None where it names no language.

    The form of the envelope stays as it is. POSIX ("en_US.UTF-8"), Java ("zh_CN_#Hans") and extensions
    ("en-US-u-mu-celsius") lose what the envelope has no room for.
    """
    if len(text) <= MAX_LOCALE and _locale.fullmatch(text):
        return text
    language, *parts = re.split("[_-]+", re.split("[.@]", text[:256])[0])
    if not re.fullmatch("[A-Za-z]{2,3}", language):
        return None
    script = region = ""
    for part in parts:
        # A single letter begins an extension.
        if len(name := part.removeprefix("#")) == 1:
            break
        if not script and re.fullmatch("[A-Za-z]{4}", name):
            script = f"-{name}"
        elif not region and re.fullmatch("[A-Za-z]{2}|[0-9]{3}", name):
            region = f"-{name}"
    return language + script + region


def _repaired_client(client: dict[str, Any]) -> dict[str, Any]:
    """Return the envelope's `client` in the catalogue's form."""
    tidy_client = {
        name: value for name, value in client.items() if not (name in OPTIONAL and value in ("", None))
    }
    if isinstance(name := client.get("platform"), str) and (known := platform(name)) != "other":
        tidy_client["platform"] = known
    if isinstance(text := client.get("app_version"), str):
        tidy_client["app_version"] = re.sub(r"^[vV](?=\d)", "", text.strip())
    if isinstance(code := tidy_client.get("country"), str):
        tidy_client["country"] = code.upper() if re.fullmatch("[A-Za-z]{2}", code) else code
    if isinstance(text := tidy_client.get("locale"), str):
        tidy_client["locale"] = locale(text)
        if tidy_client["locale"] is None:
            del tidy_client["locale"]
    return tidy_client
