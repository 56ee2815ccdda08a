"""Quotas count events by game and class of key; what is spent is disabled until a person undoes it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from authorizer import handler as authorizer
from fake_aws import Streams, encode
from ingest import handler, intake
from ingest.publisher import Publisher
from ingest.request import RequestError, Sender, check_enabled
from ingest_requests import post, rest_api_settings, sign
from telemetry import quotas as module
from telemetry.games import GameRegistry
from telemetry.quotas import Exceeded, Limits, Quotas, units
from tools import REPOSITORY, cost, games
from tools.costs import model
from tools.costs import settings as cost_settings

MakeEvent = Callable[..., dict[str, Any]]
NOW = datetime(2026, 3, 10, 12, 0, 5, tzinfo=UTC)
LIMITS = Limits(events_a_day=5000, events_a_minute=2000)


class Writes:
    """DynamoDB that counts its writes."""

    def __init__(self) -> None:
        self.client, self.count = boto3.client("dynamodb"), 0

    def update_item(self, **request: Any) -> Any:
        self.count += 1
        return self.client.update_item(**request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


@pytest.fixture
def writes(dynamodb: Any) -> Writes:
    return Writes()


def taken(quotas: Quotas, wanted: int, now: datetime, limits: Limits = LIMITS) -> int:
    """Take units until they are refused; return how many there were."""
    count = 0
    try:
        while count < 10 * limits.events_a_day:
            quotas.take("skyforge", "client", wanted, limits, now)
            count += wanted
    except Exceeded:
        return count
    raise AssertionError("no limit")


def test_large_events_count_for_as_many_as_they_could_be() -> None:
    assert [units([size]) for size in (1, 1024, 1025, 65536)] == [1, 1, 2, 64]
    assert units([10] * 500) == 500


def test_no_more_passes_in_a_minute_than_its_limit_however_many_functions_there_are(writes: Writes) -> None:
    functions = [Quotas(writes, "quotas") for _ in range(5)]  # type: ignore[arg-type]
    assert 0.8 * 2000 <= sum(taken(each, 7, NOW) for each in functions) <= 2000
    assert sum(taken(each, 7, NOW + timedelta(minutes=1)) for each in functions) == 0
    assert "Item" not in writes.get_item(TableName="quotas", Key={"quota": {"S": "skyforge#client"}})


def test_few_requests_write(writes: Writes) -> None:
    quotas = Quotas(writes, "quotas")  # type: ignore[arg-type]
    for _ in range(200):
        quotas.take("skyforge", "client", 12, Limits(10**6, 10**5), NOW)
    assert writes.count <= 60


def test_a_flood_that_is_refused_writes_no_more(writes: Writes) -> None:
    quotas = Quotas(writes, "quotas")  # type: ignore[arg-type]
    taken(quotas, 500, NOW)
    before = writes.count
    for _ in range(100):
        with pytest.raises(Exceeded):
            quotas.take("skyforge", "client", 500, LIMITS, NOW)
    assert writes.count == before


def test_a_spent_day_disables_the_class_until_a_person_lifts_it(
    writes: Writes, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", 0)
    now = datetime.now(UTC)
    limits = Limits(events_a_day=50, events_a_minute=1000)
    assert 40 <= taken(Quotas(writes, "quotas"), 5, now, limits) <= 50  # type: ignore[arg-type]
    quotas = Quotas(writes, "quotas")  # type: ignore[arg-type]
    with pytest.raises(Exceeded, match="quota_exceeded"):
        quotas.take("skyforge", "client", 11, limits, now)
    assert [quotas.is_disabled("skyforge", each) for each in ("client", "server")] == [True, False]
    games.lift_quota(dynamodb.Table("quotas"), "skyforge")
    assert not quotas.is_disabled("skyforge", "client")
    assert quotas.take("skyforge", "client", 5, limits, now) == 0.1


def test_a_leaked_client_key_leaves_servers_their_quota(writes: Writes) -> None:
    quotas = Quotas(writes, "quotas")  # type: ignore[arg-type]
    taken(quotas, 100, NOW)
    assert quotas.take("skyforge", "server", 100, LIMITS, NOW) == 100 / 5000
    assert quotas.take("chess", "client", 100, LIMITS, NOW) == 100 / 5000


def test_the_authorizer_denies_keys_whose_quota_is_spent(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = games.add_game(dynamodb.Table("games"), "skyforge", "Skyforge")
    monkeypatch.setattr(authorizer, "registry", lambda: GameRegistry(dynamodb, "games"))
    monkeypatch.setattr(authorizer, "quotas", lambda: Quotas(boto3.client("dynamodb"), "quotas"))
    event = {"headers": {"x-api-key": key}, "methodArn": "arn:aws:execute-api:r:1:abc/live/POST/v1/events"}

    def effect() -> str:
        answer = authorizer.lambda_handler(event, None)
        return str(answer["policyDocument"]["Statement"][0]["Effect"])

    assert effect() == "Allow"
    dynamodb.Table("quotas").put_item(Item={"quota": "skyforge#client", "disabled_at": "now"})
    assert effect() == "Deny"
    games.lift_quota(dynamodb.Table("quotas"), "skyforge")
    assert effect() == "Allow"


def test_the_rest_api_refuses_what_is_too_much_and_reports_its_share(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch, make_event: MakeEvent
) -> None:
    rest_api_settings(monkeypatch, events_a_day=3, events_a_minute=3)
    streams = Streams()
    monkeypatch.setattr(handler, "publisher", lambda: Publisher(streams, "raw"))  # type: ignore[arg-type]
    written = StringIO()
    monkeypatch.setattr(intake.logger.registered_handler, "stream", written)
    key = games.add_game(dynamodb.Table("games"), "skyforge", "Skyforge")
    body = b"\n".join(encode(make_event()) for _ in range(2))
    assert post(body, key)[0] == 202
    status, answer, headers = post(body, key)
    assert (status, answer["error"]["code"], headers["retry-after"]) == (429, "too_many_events", "60")
    games.set_quota(dynamodb.Table("games"), "skyforge", {"events_a_minute": 100})
    rest_api_settings(monkeypatch, events_a_day=3, events_a_minute=3)
    status, answer, _ = post(body, key)
    assert (status, answer["error"]["code"]) == (429, "quota_exceeded")
    lines = [json.loads(line) for line in written.getvalue().splitlines() if "QuotaUsed" in line]
    assert [share for line in lines for share in line["QuotaUsed"]] == [66, 100]
    assert len(streams.taken["raw"]) == 1


@pytest.fixture
def signing(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a key of a game that demands signatures; its clients may send 3 events a day."""
    rest_api_settings(monkeypatch, events_a_day=3)
    monkeypatch.setattr(handler, "publisher", lambda: Publisher(Streams(), "raw"))  # type: ignore[arg-type]
    table = dynamodb.Table("games")
    key = games.add_game(table, "skyforge", "Skyforge")
    games.demand_signatures(table, "skyforge", "required")
    return key


def signed(key: str, shown: str, make_event: MakeEvent, events: int = 1) -> tuple[int, str]:
    """Send events, signed by one key beside what is shown; return the status and the code of an error."""
    body = b"\n".join(encode(make_event()) for _ in range(events))
    status, answer, _ = post(body, shown, x_signature=sign(key, body))
    return status, answer.get("error", {}).get("code", "")


def test_a_disabled_key_that_signs_is_refused_as_one_that_is_shown(
    signing: str, dynamodb: Any, monkeypatch: pytest.MonkeyPatch, make_event: MakeEvent
) -> None:
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", 0)
    server = games.rotate_key(dynamodb.Table("games"), "skyforge", "server")
    assert signed(signing, "skyforge", make_event, events=3) == (202, "")
    assert signed(signing, "skyforge", make_event) == (429, "quota_exceeded")
    assert signed(signing, "skyforge", make_event) == (403, "game_disabled")
    assert signed(server, "skyforge", make_event) == (202, "")
    # The authorizer let the client key in that is shown; the server key that signs is the disabled one.
    games.lift_quota(dynamodb.Table("quotas"), "skyforge")
    dynamodb.Table("quotas").put_item(Item={"quota": "skyforge#server", "disabled_at": "now"})
    assert signed(server, signing, make_event) == (403, "game_disabled")


def test_a_disabled_key_that_signs_stays_so_on_the_next_day_until_a_person_lifts_it(
    signing: str, dynamodb: Any, monkeypatch: pytest.MonkeyPatch, make_event: MakeEvent
) -> None:
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", 0)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    taken(Quotas(boto3.client("dynamodb"), "quotas"), 1, yesterday, Limits(3, 100))
    assert signed(signing, "skyforge", make_event) == (403, "game_disabled")
    assert signed("skyforge.guess", "skyforge", make_event) == (401, "bad_signature")
    games.lift_quota(dynamodb.Table("quotas"), "skyforge")
    assert signed(signing, "skyforge", make_event) == (202, "")


def test_whether_a_key_that_signs_is_disabled_is_read_once_in_half_a_minute(
    signing: str, monkeypatch: pytest.MonkeyPatch, make_event: MakeEvent
) -> None:
    reads: list[str] = []

    class Reads(Writes):
        def get_item(self, **request: Any) -> Any:
            reads.append(request["Key"]["quota"]["S"])
            return self.client.get_item(**request)

    quotas = Quotas(Reads(), "quotas")  # type: ignore[arg-type]
    monkeypatch.setattr(handler, "quotas", lambda: quotas)
    assert [signed(signing, "skyforge", make_event)[0] for _ in range(3)] == [202] * 3
    assert reads == ["skyforge#client"]


def test_events_are_sent_again_where_nobody_can_tell_whether_the_key_that_signs_is_disabled(
    signing: str, monkeypatch: pytest.MonkeyPatch, make_event: MakeEvent
) -> None:
    monkeypatch.setattr(handler, "quotas", lambda: Quotas(boto3.client("dynamodb"), "missing"))
    assert signed(signing, "skyforge", make_event) == (503, "unavailable")


def test_a_refused_key_is_answered_in_the_words_of_api_gateway() -> None:
    words = (REPOSITORY / "infrastructure/modules/ingest/responses.tf").read_text()
    with pytest.raises(RequestError) as refused:
        check_enabled(Sender("skyforge", must_sign=True), Mock(is_disabled=lambda *_: True))
    error = refused.value
    denied = words[words.index("ACCESS_DENIED") :].partition("}")[0]
    assert all(str(each) in denied for each in (error.status, f'"{error.code}"', f'"{error.message}"'))


def test_the_log_names_the_key_that_signed(
    signing: str, dynamodb: Any, monkeypatch: pytest.MonkeyPatch, make_event: MakeEvent
) -> None:
    written = StringIO()
    monkeypatch.setattr(intake.logger.registered_handler, "stream", written)
    server = games.rotate_key(dynamodb.Table("games"), "skyforge", "server")
    kept = dynamodb.Table("games").get_item(Key={"game_id": "skyforge"})["Item"]["key_hashes"]
    ids = {key["key_class"]: key["key_id"] for key in kept}
    assert signed(signing, "skyforge", make_event, events=3)[0] == 202
    assert signed(signing, "skyforge", make_event)[0] == 429
    assert signed(server, "skyforge", make_event)[0] == 202
    # The authorizer has found the key k1; a signature by another key makes the request that key's.
    assert signed(server, signing, make_event)[0] == 202
    assert signed("skyforge.guess", "skyforge", make_event)[0] == 401
    lines = map(json.loads, written.getvalue().splitlines())
    told = [(line["message"], line["key_id"]) for line in lines if line.get("message", "").startswith("Req")]
    assert told == [
        ("Request taken", ids["client"]),
        ("Request refused", ids["client"]),
        ("Request taken", ids["server"]),
        ("Request taken", ids["server"]),
        ("Request refused", ""),
    ]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_dearest_key_costs_less_than_a_hundred_dollars_a_day(
    environment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    quota, given = cost_settings.quota(environment), cost_settings.read(environment)
    assert quota.events_a_day == 20_000_000
    assert quota.requests_a_day >= 1_000_000
    dollars = model.worst_key(given, quota)
    # By hand, of the events alone: claims, player state, both streams' records, and windows. 13,889 events a
    # minute make 1,364 rows of windows, which have 142,821 measures of 95 bytes.
    windows = 1440 * (1364 + 142_821 * 95 / 1024) * 0.625e-6
    assert dollars > 20 * (0.625 + 1.33 * 0.625 + 2 * 0.014) + windows
    assert dollars < 100
    cost.show_worst_key(environment, given)
    assert f"${dollars:,.2f} a day" in " ".join(capsys.readouterr().out.split())
    ten_times = cost_settings.Quota(10 * quota.events_a_day, 10 * quota.requests_a_day)
    assert model.worst_key(given, ten_times) > 100


@pytest.mark.parametrize(("environment", "told"), [("dev", "4.5"), ("prod", "6.2")])
def test_the_worst_client_costs_as_many_times_an_ordinary_one_as_documented(
    environment: str, told: str
) -> None:
    quota, given = cost_settings.quota(environment), cost_settings.read(environment)

    def dollars(load: model.Load) -> float:
        idle = replace(load, events_per_second=1e-9)
        spent = model.total(model.bill(load, given)) - model.total(model.bill(idle, given))
        return spent * 24 / model.HOURS

    ordinary = dollars(model.Load(quota.events_a_day / 86400, rest_share=1))
    times = f"{model.worst_key(given, quota) / ordinary:.1f}"
    assert times == told
    page = (REPOSITORY / "docs" / "security.md").read_text()
    assert f"{told} in {environment}" in page
