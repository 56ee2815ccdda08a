"""One spelling for what clients spell differently, no e-mail address anywhere, and bots known as such."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured_work import measured
from telemetry import email_masking, normalisation
from telemetry.bots import is_bot
from telemetry.enrichment import enrich
from telemetry.origin import Origin

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
        st.sampled_from("abcXYZ019!#$%&'*+/=?^_`{|}~-"),
        st.characters(categories=["Ll", "Lo", "Lu"], min_codepoint=0xAA),
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
    st.from_regex(r'"[a-z ]{1,12}"', fullmatch=True),
)
DOMAIN = st.one_of(
    st.builds(lambda labels, top: ".".join([*labels, top]), st.lists(LABEL, min_size=1, max_size=3), TOP),
    st.sampled_from(["[192.168.0.1]", "[IPv6:2001:db8::1]"]),
)
AT = st.sampled_from(["@", "%40", "%2540"])
BEFORE = st.sampled_from(["", "mail ", "<", "(", "to: ", "x, ", "\u2026", "¡" * 90 + " ", "é ", "…\t"])
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
    ],
)
def test_a_bot_declares_itself(agent: str, bot: bool) -> None:
    assert is_bot(agent) is bot


def test_an_event_is_a_bots_by_user_agent_or_sdk(make_event: MakeEvent) -> None:
    client = {"platform": "web", "app_version": "1.0.0"}
    assert enrich(make_event(), Origin(NOW, "rest", bot=True))["bot"] is True
    assert enrich(make_event(client=client | {"sdk": "locust 2.0"}), Origin(NOW, "stream"))["bot"] is True
    assert enrich(make_event(client=client), Origin(NOW, "stream"))["bot"] is False
