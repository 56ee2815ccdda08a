"""One spelling for what clients spell differently, no e-mail address anywhere, and bots known as such."""

import json
import unicodedata
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hostile import good_examples
from hypothesis import given, settings
from hypothesis import strategies as st
from measured_work import measured
from telemetry import email_masking, normalisation
from telemetry.bots import is_bot
from telemetry.enrichment import enrich, timestamp
from telemetry.origin import Origin
from telemetry.rejection import Rejection
from telemetry.validation import validate

NOW = datetime.now(UTC)
MakeEvent = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("iOS", "ios"),
        ("iPhonePlayer", "ios"),
        ("PC", "windows"),
        ("PlayStation 5", "playstation"),
        ("Xbox Series X", "xbox"),
        ("WebGL", "web"),
        ("Dreamcast", "other"),
        ("", "other"),
        *(("IPhonePlayer", "ios"), ("Android TV", "android"), ("GameCoreXboxSeries", "xbox")),
        *(("WSAPlayerX64", "windows"), ("Nintendo Switch 2", "switch"), ("OSXEditor", "macos")),
        *(("WindowsNoEditor", "windows"), ("XSX", "xbox"), ("X11", "linux"), ("os_switch", "switch")),
        *(("iPhone OS", "ios"), ("Xbox Series X|S", "xbox"), ("PlayStation®5 Pro", "playstation")),
    ],
)
def test_a_platform_has_one_name(text: str, platform: str) -> None:
    assert normalisation.platform(text) == platform


@pytest.mark.parametrize(
    ("text", "version"),
    [("1.4", "1.4.0"), ("01.4.0+b7", "1.4.0"), ("1.4.0.2-rc1", "1.4.0"), ("2", "2.0.0"), ("beta", "0.0.0")],
)
def test_a_version_has_three_numbers(text: str, version: str) -> None:
    assert normalisation.version(text) == version


def test_an_enriched_event_carries_both(make_event: MakeEvent) -> None:
    event = make_event(client={"platform": "switch", "app_version": "1.10"})
    enriched = enrich(event, Origin(NOW, "stream"))
    assert (enriched["platform"], enriched["app_version"]) == ("switch", "1.10.0")
    assert enriched["client"]["app_version"] == "1.10"


def test_an_integer_written_as_a_float_is_an_integer_again(make_event: MakeEvent) -> None:
    event = make_event("score_submitted", sequence=3.0)
    event["payload"] |= {"score": 1500.0, "extra": {"speed": 1.5, "laps": 3.0}}
    enriched = enrich(event, Origin(NOW, "stream"))
    assert repr(enriched["sequence"]) == "3"
    assert repr(enriched["payload"]["score"]) == "1500"
    assert repr(enriched["payload"]["extra"]) == "{'speed': 1.5, 'laps': 3}"
    assert enriched["masked"] is False


def test_an_address_in_a_free_field_is_masked_and_told(make_event: MakeEvent) -> None:
    event = make_event(
        "design", payload={"name": "a", "extra": {"note": "mail jo.doe+x@mail.example.com now"}}
    )
    enriched = enrich(event, Origin(NOW, "rest"))
    assert enriched["payload"]["extra"]["note"] == "mail [mail] now"
    assert enriched["masked"] is True


ATOM = st.text(
    st.one_of(
        st.sampled_from("abcXYZ019!#$%&'*+/=?^_`{|}~-\u2019"),
        st.characters(categories=["L", "M", "N", "P", "S"], min_codepoint=0xA1),
    ),
    min_size=1,
    max_size=12,
)
LABEL = st.one_of(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True),
    st.from_regex(r"xn--[a-z0-9]{2,8}", fullmatch=True),
    st.text(st.characters(categories=["Ll", "Lo"], min_codepoint=0xDF, max_codepoint=0xFFFF), min_size=1,
            max_size=8),
)  # fmt: skip
TOP = st.sampled_from(["com", "museum", "рф", "中国", "xn--p1ai", "भारत"])
LOCAL = st.one_of(
    st.lists(ATOM, min_size=1, max_size=3).map(".".join),
    st.from_regex(r'"([a-z ]|\\["\\]){1,12}"', fullmatch=True),
)
DOMAIN = st.one_of(
    st.builds(lambda labels, top: ".".join([*labels, top]), st.lists(LABEL, min_size=1, max_size=12), TOP),
    st.sampled_from(["[192.168.0.1]", "[IPv6:2001:db8::1]"]),
)
AT = st.sampled_from(["@", "%40", "%2540"])
SPACES = [space for space in map(chr, range(0x80, 0x110000)) if space.isspace()]
BEFORE = st.sampled_from(["", "mail ", "<", "(", "to: ", "x, ", "¡" * 90 + " ", "é ", "…\t", *SPACES])
AFTER = st.sampled_from(["", " now", ">", ")", ", y", ";", "…", "\t", "?"])


@settings(max_examples=300, deadline=None)
@given(local=LOCAL, at=AT, domain=DOMAIN, before=BEFORE, after=AFTER)
def test_no_part_of_an_address_that_a_mail_server_takes_is_left(
    local: str, at: str, domain: str, before: str, after: str
) -> None:
    text, masked = f"{before}{local}{at}{domain}{after}", f"{before}[mail]{after}"
    assert email_masking.mask(text) == masked
    assert normalisation.tidy({"a": [text], text: 1}) == {"a": [masked], masked: 1}
    for ascii_only in (True, False):
        raw = json.dumps({"a": text, text: 1}, ensure_ascii=ascii_only).encode()
        kept = email_masking.mask_bytes(raw)
        assert json.loads(kept) == {"a": masked, masked: 1}
        assert email_masking.mask_bytes(b"\xff\xfe " + raw[:-1]) == b"\xff\xfe " + kept[:-1]


def test_every_sign_beyond_ascii_may_stand_before_the_at_sign() -> None:
    signs = [sign for sign in map(chr, range(0xA1, 0x110000)) if unicodedata.category(sign)[0] in "LMNPS"]
    assert len(signs) > 100_000
    left = [sign for sign in signs if email_masking.mask(f"jo{sign}doe{sign}@example.org") != "[mail]"]
    assert not left


def test_every_letter_may_stand_in_an_address() -> None:
    letters = [
        letter
        for letter in map(chr, range(0xAA, 0xF0000))
        if unicodedata.category(letter) in ("Ll", "Lo", "Lu")
    ]
    assert len(letters) > 100_000
    left = [letter for letter in letters if email_masking.mask(f"{letter}@{letter}.org") != "[mail]"]
    assert not left


@settings(max_examples=200, deadline=None)
@given(st.text() | st.text('a@.%40-[]\\u0"'))
def test_masking_masks_all_at_once_and_never_makes_a_text_longer(text: str) -> None:
    once = email_masking.mask(text)
    assert email_masking.mask(once) == once
    assert len(once) <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "a @ b.c",
        "@home",
        "user@localhost",
        "a@b",
        "50% @ 3.5x",
        "x@.com",
        "50%40",
        "100%25 of 40",
        "%40example.com",
    ],
)
def test_what_is_no_address_stays(text: str) -> None:
    assert email_masking.mask(text) == text


def test_bytes_are_masked_even_where_json_escapes_the_sign() -> None:
    raw = b'{"a":"jo@example.com","b":"jo\\u0040example.com","c":"\xff jo@example.com"'
    assert email_masking.mask_bytes(raw) == b'{"a":"[mail]","b":"[mail]","c":"\xff [mail]"'


@pytest.mark.parametrize(
    "hostile",
    [
        "a" * 512_000 + "@",
        "a.@" * 170_000,
        "a@" + "b." * 250_000,
        "@" * 512_000,
        "%40" * 170_000,
        "a@b.co" * 85_000,
        "\\u0040" * 85_000,
        '"' * 250_000 + "@b.co" * 50_000,
    ],
    ids=["long-name", "many-names", "long-host", "signs", "percents", "addresses", "escapes", "quotes"],
)
def test_hostile_text_is_searched_in_linear_time(hostile: str) -> None:
    assert measured(lambda: email_masking.mask_bytes(hostile.encode()), 2)[1] < 2


@pytest.mark.parametrize(
    ("agent", "bot"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", True),
        ("Mozilla/5.0 HeadlessChrome/126.0", True),
        ("k6/0.49 (https://k6.io/)", True),
        ("UnityPlayer/2022.3 (UnityWebRequest/1.0, libcurl/8.5)", False),
        ("okhttp/4.12", False),
        ("", False),
        ("Dalvik/2.1.0 (Linux; U; Android 11; bot 61 Build/RP1A)", False),
        ("Mozilla/5.0 (Linux; Android 11; bot 61) AppleWebKit/537.36 Chrome/120 Mobile", False),
        ("TinyRobot/7 CFNetwork/1410.0.3 Darwin/22.6.0", False),
        ("BattleBot/7 CFNetwork/1410.0.3 Darwin/22.6.0", False),
        ("Spider/12 CFNetwork/1410.0.3 Darwin/22.6.0", False),
        ("DungeonCrawl/++UE5+Release-5.3-CL-29314046 Windows/10.0", False),
        ("TinyRobot/7", False),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", True),
        ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", True),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", True),
        ("Mozilla/5.0 (compatible; Baiduspider/2.0)", True),
        ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", True),
        ("AdsBot-Google/1.0", True),
    ],
)
def test_a_bot_declares_itself(agent: str, bot: bool) -> None:
    assert is_bot(agent) is bot


def test_an_event_is_a_bots_by_user_agent_or_sdk(make_event: MakeEvent) -> None:
    client = {"platform": "web", "app_version": "1.0.0"}
    assert enrich(make_event(), Origin(NOW, "rest", bot=True))["bot"] is True
    assert enrich(make_event(client=client | {"sdk": "locust 2.0"}), Origin(NOW, "stream"))["bot"] is True
    assert enrich(make_event(client=client), Origin(NOW, "stream"))["bot"] is False


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("zh_CN_#Hans", "zh-Hans-CN"),
        ("en_US.UTF-8", "en-US"),
        ("de_DE@euro", "de-DE"),
        ("en-US-u-mu-celsius", "en-US"),
        ("en_US_#u-mu-celsius", "en-US"),
        ("th_TH_TH_#u-nu-thai", "th-TH"),
        ("zh__#Hant", "zh-Hant"),
        ("es-419-x-private-something-long-enough", "es-419"),
        ("en_US", "en_US"),
        ("sr-Latn-RS", "sr-Latn-RS"),
        *(
            (text, None)
            for text in ("C", "POSIX", "C.UTF-8", "", "English", "???", "e" * 10_000, "-" * 10_000)
        ),
    ],
)
def test_a_locale_is_mapped_or_dropped_and_never_refuses_an_event(
    make_event: MakeEvent, sent: str, written: str | None
) -> None:
    event = make_event(client={"platform": "ios", "app_version": "1.0", "locale": sent})
    assert validate(event)["client"].get("locale") == written


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z]{1,8}([_\-.@#][A-Za-z0-9#]{0,9}){0,6}", fullmatch=True))
def test_no_text_of_a_locale_refuses_an_event(text: str) -> None:
    now = timestamp(datetime.now(UTC))
    event = good_examples()[0] | {"event_time": now, "sent_at": now}
    validate(event | {"client": event["client"] | {"locale": text}})


UNITY = """OSXEditor OSXPlayer WindowsPlayer WindowsEditor IPhonePlayer Android LinuxPlayer LinuxEditor
WebGLPlayer WSAPlayerX86 WSAPlayerX64 WSAPlayerARM PS4 PS5 XboxOne tvOS Switch Switch2
GameCoreXboxSeries GameCoreXboxOne
EmbeddedLinuxArm64 EmbeddedLinuxX64 LinuxServer WindowsServer OSXServer VisionOS"""
UNREAL = """Windows WindowsNoEditor WinGDK Mac Linux LinuxArm64 Android IOS TVOS VisionOS PS4 PS5 XSX
XboxOneGDK Switch"""
GODOT = "Windows macOS Linux FreeBSD NetBSD OpenBSD BSD Android iOS visionOS Web X11 OSX HTML5 UWP"


@pytest.mark.parametrize(
    "name", [*UNITY.split(), *UNREAL.split(), *GODOT.split(), "Android TV", "Nintendo Switch 2"]
)
def test_an_engines_name_of_a_platform_is_taken(make_event: MakeEvent, name: str) -> None:
    event = validate(make_event(client={"platform": name, "app_version": "1.0"}))
    assert event["client"]["platform"] in normalisation.PLATFORMS
    assert enrich(event, Origin(NOW, "rest"))["platform"] == event["client"]["platform"]


def test_a_name_belongs_to_one_platform_and_is_written_as_it_is_looked_up() -> None:
    names = [name for names in normalisation.PLATFORMS.values() for name in names]
    assert len(names) == len(set(names))
    assert all(name.isalnum() and name == name.lower() for name in names)


def test_a_platform_that_nobody_knows_is_refused(make_event: MakeEvent) -> None:
    with pytest.raises(Rejection) as caught:
        validate(make_event(client={"platform": "Dreamcast", "app_version": "1.0"}))
    assert caught.value.pointer == "/client/platform"


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("2026-01-31T12:00:00.1234567Z", "2026-01-31T12:00:00.123456Z"),
        ("2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123456Z"),
        ("2026-01-31T12:00:00.1234567+00:00", "2026-01-31T12:00:00.123456Z"),
        ("2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00Z"),
        # strftime's %z of C and Python has no colon.
        ("2026-01-31T12:00:00+0000", "2026-01-31T12:00:00Z"),
        ("2026-01-31T23:30:00-0100", "2026-02-01T00:30:00Z"),
        ("2026-01-31T23:30:00.5-01:00", "2026-02-01T00:30:00.500000Z"),
        ("2026-01-31t12:00:00z", "2026-01-31T12:00:00Z"),
        ("2026-01-31 12:00:00.1Z", "2026-01-31T12:00:00.1Z"),
        *(
            (text, text)
            for text in ("2026-01-31T12:00:00", "2026-01-31", "0001-01-01T00:00:00+23:59", "", "Z")
        ),
        ("2026-01-31T12:00:00." + "1" * 100 + "Z", "2026-01-31T12:00:00." + "1" * 100 + "Z"),
    ],
)
def test_a_time_is_written_in_utc_with_microseconds_at_most(sent: str, written: str) -> None:
    assert normalisation.utc(sent) == written


def test_what_an_engine_sends_by_default_is_taken(make_event: MakeEvent) -> None:
    now = datetime.now(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    client = {
        "platform": "IPhonePlayer",
        "app_version": "v1.4.0-rc.1+build.5",
        "locale": "C",
        "country": "us",
    }
    event = make_event(event_time=f"{now}7Z", sent_at=f"{now}7+00:00")
    event["client"] = client | {"device_model": "", "sdk": None}
    enriched = enrich(validate(event), Origin(NOW, "rest"))
    assert enriched["client"] == {"platform": "ios", "app_version": "1.4.0-rc.1+build.5", "country": "US"}
    assert (enriched["event_time"], enriched["sent_at"]) == (f"{now}Z", f"{now}Z")
    assert (enriched["app_version"], enriched["country"]) == ("1.4.0", "US")
    assert event["client"]["platform"] == "IPhonePlayer"


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        # Unreal's FGuid::ToString(), and .NET's Guid.ToString("N") and ("B").
        ("7B1C0E0E7A3C4A439D1E5A9F0F1F2A3B", "7b1c0e0e-7a3c-4a43-9d1e-5a9f0f1f2a3b"),
        ("7b1c0e0e7a3c4a439d1e5a9f0f1f2a3b", "7b1c0e0e-7a3c-4a43-9d1e-5a9f0f1f2a3b"),
        ("{7B1C0E0E-7A3C-4A43-9D1E-5A9F0F1F2A3B}", "7b1c0e0e-7a3c-4a43-9d1e-5a9f0f1f2a3b"),
    ],
)
def test_a_uuid_without_hyphens_or_in_braces_is_taken(make_event: MakeEvent, sent: str, written: str) -> None:
    event = validate(make_event(event_id=sent, session_id=sent))
    assert (event["event_id"], event["session_id"]) == (written, written)
    assert validate(make_event(event_id=written))["event_id"] == written


@pytest.mark.parametrize(
    "text", ["7b1c0e0e7a3c4a439d1e5a9f0f1f2a3", "{7b1c0e0e7a3c4a439d1e5a9f0f1f2a3b}", "7b1c0e0e-7a3c", "{}"]
)
def test_what_is_no_uuid_is_refused(make_event: MakeEvent, text: str) -> None:
    with pytest.raises(Rejection) as caught:
        validate(make_event(event_id=text))
    assert caught.value.pointer == "/event_id"


@pytest.mark.parametrize("text", ["0" * 32, "{00000000-0000-0000-0000-000000000000}"])
def test_the_nil_uuid_is_none_in_any_form(make_event: MakeEvent, text: str) -> None:
    with pytest.raises(Rejection, match="make a new UUID"):
        validate(make_event(event_id=text))


@pytest.mark.parametrize(
    "version", ["1.0.0-alpha.1", "1.0.0-rc.1+build.5", "1.0.0+20130313144700", "2.1.0-0.3.7+sha.5114f85"]
)
def test_semantic_versions_are_taken(make_event: MakeEvent, version: str) -> None:
    assert validate(make_event(client={"platform": "ios", "app_version": version}))


@pytest.mark.parametrize("code", ["XX", "ZZ", "EU"])
def test_a_code_that_is_no_country_is_none(make_event: MakeEvent, code: str) -> None:
    event = validate(make_event(client={"platform": "ios", "app_version": "1.0", "country": code}))
    assert enrich(event, Origin(NOW, "rest"))["country"] is None
    assert enrich(event, Origin(NOW, "rest", "FR"))["country"] == "FR"


def test_every_assigned_country_is_a_country() -> None:
    tables = [Path(path) / "iso3166.tab" for path in zoneinfo.TZPATH]
    lines = next(table for table in tables if table.exists()).read_text().splitlines()
    known = {line.split("\t")[0] for line in lines if not line.startswith("#")}
    assert len(known) > 240
    assert known.isdisjoint(normalisation.NO_COUNTRY)


def test_the_nil_uuid_is_no_event_id(make_event: MakeEvent) -> None:
    with pytest.raises(Rejection, match="make a new UUID") as caught:
        validate(make_event(event_id=str(UUID(int=0))))
    assert (caught.value.reason, caught.value.pointer) == ("schema_violation", "/event_id")


def test_a_good_event_is_not_changed(make_event: MakeEvent) -> None:
    event = make_event()
    assert normalisation.repaired(event) is event
    for value in (
        None,
        1,
        [],
        "x",
        {},
        {"client": 1},
        {"client": {"platform": 1, "locale": [], "country": {}}},
    ):
        assert normalisation.repaired(value) == value
