"""Register games and give out their API keys; the table keeps hashes only."""

import argparse
import os
import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import idna
from privacy.erasure import Game
from rich.console import Console
from rich.table import Table as Listing
from telemetry import catalog, dimensions, ids, key_classes
from telemetry.enrichment import timestamp
from telemetry.games import secret_hash
from telemetry.key_classes import CLASSES, KeyClass
from telemetry.quotas import key_of

from tools import CommandError, Parser, emulator, infrastructure, positive, run

if TYPE_CHECKING:
    from mypy_boto3_apigateway.client import APIGatewayClient
    from mypy_boto3_dynamodb.service_resource import Table

# The dot-atom of RFC 5322: SES takes neither quoted local parts nor those beyond ASCII (RFC 6531).
LOCAL_PART = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
MAX_ADDRESS = 254
RESERVED = "unknown"
ORIGIN = re.compile(r"(https?)://([^/:@?#\s]+)(:[0-9]{1,5})?/?")
# Browsers leave them out of an origin.
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# SES takes no more in one mail.
MAX_RECIPIENTS = 50
# The history shows as many of a day.
MAX_EXPERIMENTS, MAX_VARIANTS = 50, 10
MAX_SHARE = 1_000_000
# Of each class.
MAX_LIVE_KEYS = 2
MIN_IMPORTED = 32


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """A plan of the REST API that throttles each game (low-level API Gateway client).

    `unproven` is the id of the small plan of requests that show a game's id and no secret.
    """

    client: "APIGatewayClient"
    plan_id: str
    unproven_id: str = ""

    @property
    def unproven(self) -> "UsagePlan":
        """The small plan."""
        return UsagePlan(self.client, self.unproven_id)

    @contextmanager
    def place(self, game_id: str) -> Iterator[str]:
        """Give the game a key of the plan, and take it back where the block fails.

        The key's value names the game's usage, and opens nothing.
        """
        value = secrets.token_hex(20)
        key_id = self.client.create_api_key(name=game_id, value=value, enabled=True)["id"]
        try:
            self.client.create_usage_plan_key(usagePlanId=self.plan_id, keyId=key_id, keyType="API_KEY")
            yield value
        except BaseException:
            self.client.delete_api_key(apiKey=key_id)
            raise

    def counts(self, usage_key: str) -> bool:
        """Is this one of the plan's keys?"""
        pages = self.client.get_paginator("get_usage_plan_keys").paginate(usagePlanId=self.plan_id)
        return any(item["value"] == usage_key for page in pages for item in page["items"])


def add_game(
    table: "Table",
    game_id: str,
    name: str,
    plan: UsagePlan | None = None,
    pseudonyms: bool = False,
    key_class: KeyClass = "client",
) -> str:
    """Register a game, with pseudonyms from its first event or not, and return its first API key.

    The key cannot be read again. `rotate_key` gives the game one of the other class.

    Raises CommandError for an id that is malformed, reserved or registered.
    """
    if not re.fullmatch(ids.GAME, game_id) or game_id == RESERVED:
        raise CommandError(f"{game_id!r} cannot be a game's id: 2 to 63 of a-z, 0-9 and -, not {RESERVED!r}")
    key, kept = _new_key(game_id, key_class)
    game = {"game_id": game_id, "name": name, "status": "active", "created_at": kept["created_at"]}
    with plan.place(game_id) if plan else nullcontext("") as usage_key:
        usage = {"usage_key": usage_key} if usage_key else {}
        private = {"privacy_key": new_privacy_key(), **({"pseudonyms": "on"} if pseudonyms else {})}
        try:
            table.put_item(
                Item={**game, "key_hashes": [kept], **usage, **private},
                ConditionExpression="attribute_not_exists(game_id)",
            )
        except table.meta.client.exceptions.ConditionalCheckFailedException:
            raise CommandError(f"{game_id} is registered already: `rotate` gives it a new key") from None
    return key


def import_key(table: "Table", game_id: str, secret: str, key_class: KeyClass = "client") -> None:
    """Let a key from elsewhere open the game beside its newest one; clients in the field keep theirs.

    Raises CommandError for a secret that could be guessed, or a game that is not registered.
    """
    if len(secret) < MIN_IMPORTED or not secret.isascii() or not secret.isprintable():
        raise CommandError(f"a key of fewer than {MIN_IMPORTED} printable ASCII characters could be guessed")
    _add_key(table, game_id, _kept(secret, key_class))


def limit_clients(table: "Table", game_id: str, allowed: list[str], maxima: dict[str, int]) -> None:
    """Let client keys send these event types besides the usual ones, and values up to these maxima.

    Both replace what was set before; without any, the limits of the schemas hold. A maximum is named
    EVENT_TYPE.FIELD. Raises CommandError for a type or field that has no limit, or a type for servers only.
    """
    known = {name for name, _ in catalog.event_types()}
    limited = {f"{kind}.{field}" for kind, fields in key_classes.client_maxima().items() for field in fields}
    if unknown := sorted({*allowed} - known) + sorted({*maxima} - limited):
        raise CommandError(f"no such event type or limited field: {', '.join(unknown)}")
    if never := sorted({*allowed} & key_classes.server_only_types()):
        raise CommandError(f"no client key may send {', '.join(never)}: use a key of class server")
    types = sorted({*allowed} | key_classes.client_types()) if allowed else []
    _update(table, game_id, "client_limits", {"types": types, "maxima": maxima})


def demand_signatures(table: "Table", game_id: str, signature: str, plan: UsagePlan | None = None) -> None:
    """Refuse the game's unsigned requests ("required") or not ("optional"). Raises CommandError.

    Requests may then show the game's id alone; in the plan they have a small place of their own.
    """
    game = _get(table, game_id)
    if plan and signature == "required" and not plan.unproven.counts(game.get("unproven_usage_key", "")):
        with plan.unproven.place(f"{game_id} without a secret") as usage_key:
            _update(table, game_id, "unproven_usage_key", usage_key)
    _update(table, game_id, "signature", signature)


def use_pseudonyms(table: "Table", game_id: str, state: str) -> None:
    """Keep the game's players by pseudonyms from now on ("on") or by their ids ("off").

    The key stays: it names who has been stored. Raises CommandError for a game that is not registered.
    """
    privacy_key(table, game_id)
    _update(table, game_id, "pseudonyms", state)


def name_guidance_fields(table: "Table", game_id: str, player: list[str], session: list[str]) -> None:
    """Take player and session of events in the AWS guidance's envelope from these fields of event_data.

    They come before the usual ones, and replace what was set before. Raises CommandError for a game that is
    not registered.
    """
    fields = {name: names for name, names in (("player", player), ("session", session)) if names}
    _update(table, game_id, "guidance_fields", fields)


def set_revenue_currency(table: "Table", game_id: str, currency: str) -> None:
    """Take money in events of other products for this currency (ISO 4217) where they name none.

    "" sets none. Raises CommandError for no currency, and for a game that is not registered.
    """
    known = catalog.newest("common/currency", catalog.documents())["enum"]
    if currency and currency not in known:
        raise CommandError(f"{currency!r} is no currency of ISO 4217")
    _update(table, game_id, "revenue_currency", currency)


def show_recent_events(table: "Table", game_id: str, state: str) -> None:
    """Keep the game's recent events for people to see from now on ("on"), or not ("off").

    What is kept already is hidden at once and expires within a day. Raises CommandError for a game that is
    not registered.
    """
    _update(table, game_id, "recent_events", state)


def declare_dimension(
    table: "Table", game_id: str, slot: int, name: str, rule: dimensions.Rule, values: list[str]
) -> None:
    """Declare the first (1) or second (2) custom dimension of a game in the place of what it was; "" is none.

    It counts from now on. Raises CommandError for a name, value or number of values that cannot be, for the
    name of the other one, or a game that is not registered.
    """
    given: dict[str, Any] = dict(_get(table, game_id).get("dimensions", {}))
    given.pop(str(slot), None)
    if name:
        if len(name) > dimensions.MAX_NAME or not re.fullmatch(dimensions.NAME, name):
            raise CommandError(
                f"{name!r} cannot be a dimension's name: at most {dimensions.MAX_NAME} lower-case letters, "
                "digits and _, a letter first"
            )
        if any(other["name"] == name for other in given.values()):
            raise CommandError(f"{name} is the game's other dimension already")
        given[str(slot)] = {"name": name, "rule": rule, "values": _values(values)}
    _update(table, game_id, "dimensions", given)


def _values(values: list[str]) -> list[str]:
    """Return the values of a dimension, each once. Raises CommandError for what cannot be one."""
    distinct = list(dict.fromkeys(map(dimensions.normal, values)))
    if not 1 <= len(distinct) <= dimensions.MAX_VALUES:
        raise CommandError(f"a dimension has 1 to {dimensions.MAX_VALUES} values, not {len(distinct)}")
    for value in distinct:
        if value in dimensions.RESERVED:
            raise CommandError(f"{value!r} cannot be a value: it has a meaning of its own")
        if not re.fullmatch(rf"[^\x00-\x1f\x7f]{{1,{dimensions.MAX_VALUE}}}", value):
            raise CommandError(
                f"{value!r} cannot be a value: 1 to {dimensions.MAX_VALUE} characters, none of control"
            )
    return distinct


def allow_origins(table: "Table", game_id: str, origins: list[str]) -> None:
    """Let web pages of these origins read the REST API's answers to the game; of none without any.

    Raises CommandError for what is no origin, or a game that is not registered.
    """
    _update(table, game_id, "origins", sorted({web_origin(origin) for origin in origins}))


def web_origin(text: str) -> str:
    """Return an origin as browsers send it; "*" is every one. Raises CommandError for another text."""
    if text == "*":
        return text
    parts = ORIGIN.fullmatch(text.lower())
    try:
        host = idna.encode(parts[2], uts46=True).decode() if parts else ""
    except idna.IDNAError:
        host = ""
    if not (parts and host):
        raise CommandError(f"{text!r} is no origin: it has a scheme, a host and perhaps a port, nothing else")
    scheme, port = parts[1], parts[3] or ""
    return f"{scheme}://{host}" + ("" if port == DEFAULT_PORTS[scheme] else port)


def share_variants(table: "Table", game_id: str, experiment: str, shares: dict[str, int]) -> None:
    """Keep the shares of players that the variants of an experiment are meant to have; equal without any.

    A share is a whole number: 9 and 1 are nine players of one variant for one of the other. Raises
    CommandError for names that no event can have, fewer than two variants, and a game that is not registered.
    """
    names = catalog.newest("experiment_exposure", catalog.documents())["properties"]
    for field, name in (("experiment", experiment), *(("variant", variant) for variant in shares)):
        rule = names[field]
        if not re.fullmatch(rule["pattern"].strip("^$"), name) or len(name) > rule["maxLength"]:
            raise CommandError(f"{name!r} cannot be the name of {field}: no event may have it")
    if shares and not 2 <= len(shares) <= MAX_VARIANTS:
        raise CommandError(f"{len(shares)} variants are named: give the shares of 2 to {MAX_VARIANTS}")
    before = _get(table, game_id).get("experiment_shares")
    after = {name: kept for name, kept in (before or {}).items() if name != experiment}
    after |= {experiment: shares} if shares else {}
    if len(after) > MAX_EXPERIMENTS:
        raise CommandError(
            f"{game_id} has shares of {MAX_EXPERIMENTS} experiments: remove those of one that is over by "
            f"`scripts/games shares {game_id} {min(before or {})}`"
        )
    condition = "attribute_not_exists(experiment_shares)" if before is None else "experiment_shares = :before"
    try:
        table.update_item(
            Key={"game_id": game_id},
            UpdateExpression="SET experiment_shares = :after",
            ConditionExpression=f"attribute_exists(game_id) AND {condition}",
            ExpressionAttributeValues={":after": after, **({} if before is None else {":before": before})},
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        raise CommandError(f"the shares of {game_id} changed meanwhile: try again") from None


def shares_of(table: "Table", game_id: str) -> dict[str, dict[str, int]]:
    """Return the intended shares by experiment and variant. Raises CommandError for an unregistered game."""
    kept = _get(table, game_id).get("experiment_shares", {})
    return {
        name: {variant: int(share) for variant, share in sorted(shares.items())}
        for name, shares in sorted(kept.items())
    }


def privacy_key(table: "Table", game_id: str) -> bytes:
    """Return the key of a game's pseudonyms and partition keys. Registration makes it.

    A game whose item was written by hand gets it here, and its players change shards then.
    Raises CommandError for a game that is not registered.
    """
    try:
        answer = table.update_item(
            Key={"game_id": game_id},
            UpdateExpression="SET privacy_key = if_not_exists(privacy_key, :new)",
            ConditionExpression="attribute_exists(game_id)",
            ExpressionAttributeValues={":new": new_privacy_key()},
            ReturnValues="ALL_NEW",
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        raise not_registered(game_id) from None
    return bytes(answer["Attributes"]["privacy_key"])  # type: ignore[arg-type]


def named(table: "Table", game_id: str) -> Game:
    """Return what names a game's players. Raises CommandError for a game that is not registered."""
    privacy_key(table, game_id)
    return Game.of(table.get_item(Key={"game_id": game_id}, ConsistentRead=True)["Item"])


def new_privacy_key() -> bytes:
    """Return 256 random bits."""
    return secrets.token_bytes(32)


def report_to(table: "Table", game_id: str, addresses: list[str]) -> None:
    """Mail the game's reports to these addresses, or to none. Raises CommandError for what is no address."""
    if len(addresses) > MAX_RECIPIENTS:
        raise CommandError(f"a mail goes to {MAX_RECIPIENTS} addresses at most")
    _update(table, game_id, "report_to", " ".join(map(mail_address, addresses)))


def mail_address(text: str) -> str:
    """Return an address as SES takes it, its domain in ASCII (RFC 5890). Raises CommandError for another."""
    local, _, domain = text.rpartition("@")
    if not local.isascii():
        raise CommandError(f"SES sends to no address with {local!r} before the @: use letters of ASCII only")
    try:
        encoded = idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        encoded = ""
    address = f"{local}@{encoded}"
    if not LOCAL_PART.fullmatch(local) or "." not in encoded or len(address) > MAX_ADDRESS:
        raise CommandError(f"{text!r} is no e-mail address")
    return address


def rotate_key(table: "Table", game_id: str, key_class: KeyClass = "client") -> str:
    """Return a new API key; the newest one of its class works on until the next rotation.

    Raises CommandError for a game that is not registered.
    """
    key, kept = _new_key(game_id, key_class)
    _add_key(table, game_id, kept)
    return key


def set_status(table: "Table", game_id: str, status: str) -> None:
    """Let a game send events ("active") or not ("disabled"). Raises CommandError for an unregistered game."""
    _update(table, game_id, "status", status)


def set_quota(table: "Table", game_id: str, limits: dict[str, int]) -> None:
    """Give a game its own quota of events (events_a_day, events_a_minute); without any, the environment's.

    Raises CommandError for a game that is not registered.
    """
    _update(table, game_id, "quota", limits)


def lift_quota(quotas: "Table", game_id: str) -> None:
    """Let a game send again whose keys a spent quota has disabled, as much as on a new day."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    with quotas.batch_writer() as batch:
        for key_class in CLASSES:
            for moment in ("", today):
                batch.delete_item(Key={"quota": key_of(game_id, key_class, moment)})


def restore_usage(table: "Table", game_id: str, plan: UsagePlan) -> None:
    """Give a game a place in the plan where it has none: it came before the plan, or an `add` broke off.

    Raises CommandError for a game that is not registered.
    """
    if not plan.counts(_get(table, game_id).get("usage_key", "")):
        with plan.place(game_id) as usage_key:
            _update(table, game_id, "usage_key", usage_key)


def list_games(table: "Table") -> list[dict[str, Any]]:
    """Return every game by id."""
    pages = table.meta.client.get_paginator("scan").paginate(TableName=table.name)
    return sorted((game for page in pages for game in page["Items"]), key=lambda game: str(game["game_id"]))


def _add_key(table: "Table", game_id: str, kept: dict[str, str]) -> None:
    before = _get(table, game_id)["key_hashes"]
    # A key that is imported again does not push out the other one.
    others = [key for key in before if key["hash"] != kept["hash"]]
    alike = [key for key in others if key["key_class"] == kept["key_class"]]
    after = [key for key in others if key not in alike] + [*alike, kept][-MAX_LIVE_KEYS:]
    try:
        table.update_item(
            Key={"game_id": game_id},
            UpdateExpression="SET key_hashes = :after",
            ConditionExpression="key_hashes = :before",
            ExpressionAttributeValues={":before": before, ":after": after},
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        raise CommandError(f"the keys of {game_id} changed meanwhile: try again") from None


def _update(table: "Table", game_id: str, attribute: str, value: Any) -> None:
    try:
        table.update_item(
            Key={"game_id": game_id},
            UpdateExpression="SET #attribute = :value",
            ConditionExpression="attribute_exists(game_id)",
            ExpressionAttributeNames={"#attribute": attribute},
            ExpressionAttributeValues={":value": value},
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        raise not_registered(game_id) from None


def _get(table: "Table", game_id: str) -> dict[str, Any]:
    game = table.get_item(Key={"game_id": game_id}, ConsistentRead=True).get("Item")
    if not game:
        raise not_registered(game_id)
    return game


def require(outputs: Mapping[str, Any], game_id: str) -> None:
    """Raise CommandError for a game that is not registered in an applied environment."""
    _get(boto3.resource("dynamodb").Table(outputs["tables"]["games"]), game_id)


def not_registered(game_id: str) -> CommandError:
    """Return the error of a game that is not registered."""
    return CommandError(
        f"{game_id} is not registered: `scripts/games list` shows the games, "
        f"`scripts/games add {game_id}` registers it"
    )


def _new_key(game_id: str, key_class: KeyClass) -> tuple[str, dict[str, str]]:
    """Return a key and what the table keeps of it."""
    secret = secrets.token_urlsafe(32)
    return f"{game_id}.{secret}", _kept(secret, key_class)


def _kept(secret: str, key_class: KeyClass) -> dict[str, str]:
    return {
        "key_id": secrets.token_hex(4),
        "key_class": key_class,
        "hash": secret_hash(secret),
        "created_at": timestamp(datetime.now(UTC)),
    }


def registry(outputs: dict[str, Any]) -> tuple["Table", UsagePlan]:
    """Return the table of games and the usage plan of an applied environment."""
    table = boto3.resource("dynamodb").Table(outputs["tables"]["games"])
    plans = outputs["ingest_usage_plan_ids"]
    return table, UsagePlan(boto3.client("apigateway"), plans["games"], plans["unproven"])


def _print_games(games: list[dict[str, Any]]) -> None:
    listing = Listing("Game", "Name", "Status", "Registered", "Keys", box=None)
    for game in games:
        keys = ", ".join(f"{key['key_id']} ({key['key_class']})" for key in game["key_hashes"])
        listing.add_row(game["game_id"], game["name"], game["status"], game["created_at"][:10], keys)
    Console().print(listing)


def _print_key(key: str, key_class: KeyClass) -> None:
    place = "the build of the game" if key_class == "client" else "your servers and never into a build"
    print(f"This {key_class} key is not shown again. It goes into {place}, as x-api-key:", file=sys.stderr)
    print(key)


def _share(text: str) -> tuple[str, int]:
    name, _, value = text.rpartition("=")
    if not (value.isascii() and value.isdecimal() and 1 <= int(value) <= MAX_SHARE):
        raise argparse.ArgumentTypeError(f"{text!r} is not VARIANT=N with N from 1 to {MAX_SHARE}")
    return name, int(value)


def _shares_once(given: list[tuple[str, int]]) -> dict[str, int]:
    if twice := sorted({name for name, _ in given if [one for one, _ in given].count(name) > 1}):
        raise CommandError(f"{', '.join(twice)} has two shares: give one")
    return dict(given)


def _print_shares(shares: dict[str, dict[str, int]]) -> None:
    listing = Listing("Experiment", "Intended shares", box=None)
    for experiment, variants in shares.items():
        listing.add_row(experiment, ", ".join(f"{variant}={share}" for variant, share in variants.items()))
    Console().print(listing)


def _maximum(text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    if not value.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not TYPE.FIELD=N")
    return name, int(value)


def main() -> None:
    """Do what the command line says; the key alone goes to standard output."""
    parser = Parser(
        prog="scripts/games",
        description=__doc__,
        examples=(
            "scripts/games add my-game --name 'My game'",
            "scripts/games list",
            "scripts/games rotate my-game --key-class server",
            "scripts/games --environment prod report-to my-game producer@example.com",
        ),
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="show every game")
    for command, effect in {
        "add": "register a game and print its API key",
        "rotate": "print a new API key; the one before works until the next rotation",
        "import-key": "read a key that clients use already from standard input; the one before works on",
        "sign": "demand signed requests, or not",
        "pseudonyms": "keep players by keyed pseudonyms from now on, or by their ids; all are new then",
        "guidance-fields": "name the fields of event_data that hold player and session (AWS guidance)",
        "revenue-currency": "name the currency of money in other products' events that name none",
        "recent-events": "keep the game's recent events for a day, for people to see, or keep none",
        "dimension": "declare a custom dimension and its values from now on; without a name, none",
        "origins": "let web pages of these origins read answers of the REST API; of none without any",
        "shares": "set the intended shares of an experiment's variants, or show those of all experiments",
        "report-to": "mail the game's reports to these addresses; to none without any",
        "disable": "refuse a game's events",
        "enable": "take them again, also those of keys that a spent quota has disabled",
        "quota": "set how many events a day and a minute the keys of a class may send",
        "limits": "set what client keys may send; without options, what the schemas say",
    }.items():
        commands.add_parser(command, help=effect).add_argument("game_id")
    for command in ("add", "rotate", "import-key"):
        commands.choices[command].add_argument(
            "--key-class",
            choices=CLASSES,
            default="client",
            help="client for builds of the game, server for its servers (default: client)",
        )
    quota = commands.choices["quota"].add_argument
    for name in ("--events-a-day", "--events-a-minute"):
        quota(name, type=positive, metavar="N", help="default: the environment's")
    limits = commands.choices["limits"]
    limits.add_argument("--allow", action="append", default=[], metavar="EVENT_TYPE", help="repeatable")
    limits.add_argument(
        "--maximum",
        action="append",
        default=[],
        type=_maximum,
        metavar="TYPE.FIELD=N",
        help="repeatable",
    )
    commands.choices["add"].add_argument("--name", required=True, help="the game's title")
    commands.choices["add"].add_argument(
        "--pseudonyms", action="store_true", help="keep players by keyed pseudonyms, never by their ids"
    )
    for field in ("player", "session"):
        commands.choices["guidance-fields"].add_argument(
            f"--{field}",
            action="append",
            default=[],
            metavar="NAME",
            help="repeatable; the first one found counts",
        )
    for command in ("pseudonyms", "recent-events"):
        commands.choices[command].add_argument("state", choices=["on", "off"])
    commands.choices["revenue-currency"].add_argument(
        "currency", nargs="?", default="", help="such as EUR; without it, such events are refused"
    )
    dimension = commands.choices["dimension"].add_argument
    dimension("slot", type=int, choices=dimensions.SLOTS, help="which of the two")
    dimension("name", nargs="?", default="", help="what events call it, such as class")
    dimension(
        "--rule",
        choices=dimensions.RULES,
        default="current",
        help="current: the value of each event; install: the first one of the player's first day, for ever",
    )
    dimension(
        "--value",
        action="append",
        default=[],
        help=f"repeatable, at most {dimensions.MAX_VALUES}; every other value counts as {dimensions.OTHER}",
    )
    commands.choices["sign"].add_argument("signature", choices=["required", "optional"])
    commands.choices["origins"].add_argument("origins", nargs="*", metavar="origin")
    commands.choices["shares"].add_argument("experiment", nargs="?", help="without it: show all")
    commands.choices["shares"].add_argument(
        "shares",
        nargs="*",
        type=_share,
        metavar="VARIANT=N",
        help="of all variants; without any, equal shares are expected again",
    )
    commands.choices["report-to"].add_argument("addresses", nargs="*", metavar="address")
    options = parser.parse_args()
    if options.environment == "local":
        os.environ.update(emulator.local_environment())
    outputs = infrastructure.outputs(options.environment)
    table, plan = registry(outputs)
    match options.command:
        case "list":
            _print_games(list_games(table))
        case "add":
            given = (options.name, plan, options.pseudonyms, options.key_class)
            _print_key(add_game(table, options.game_id, *given), options.key_class)
        case "rotate":
            _print_key(rotate_key(table, options.game_id, options.key_class), options.key_class)
        case "import-key":
            import_key(table, options.game_id, sys.stdin.read().strip(), options.key_class)
            print(f"the key opens {options.game_id}")
        case "limits":
            limit_clients(table, options.game_id, options.allow, dict(options.maximum))
            print(f"client keys of {options.game_id} have these limits within 30 seconds")
        case "sign":
            demand_signatures(table, options.game_id, options.signature, plan)
            print(f"signatures of {options.game_id} are {options.signature}")
        case "pseudonyms":
            use_pseudonyms(table, options.game_id, options.state)
            print(f"pseudonyms of {options.game_id} are {options.state} within 30 seconds")
        case "guidance-fields":
            name_guidance_fields(table, options.game_id, options.player, options.session)
            print(f"fields of {options.game_id} are read within 30 seconds")
        case "revenue-currency":
            set_revenue_currency(table, options.game_id, options.currency)
            print(f"money of {options.game_id} without a currency is {options.currency or 'refused'}")
        case "recent-events":
            show_recent_events(table, options.game_id, options.state)
            print(f"recent events of {options.game_id} are {options.state} within 30 seconds")
        case "dimension":
            declare_dimension(table, options.game_id, options.slot, options.name, options.rule, options.value)
            what = f"{options.name} ({options.rule})" if options.name else "nothing"
            print(f"dimension {options.slot} of {options.game_id} is {what} within 30 seconds")
        case "origins":
            allow_origins(table, options.game_id, options.origins)
            print(f"pages of {', '.join(options.origins) or 'no origin'} may read answers within 30 seconds")
        case "shares":
            if options.experiment:
                share_variants(table, options.game_id, options.experiment, _shares_once(options.shares))
            _print_shares(shares_of(table, options.game_id))
        case "report-to":
            report_to(table, options.game_id, options.addresses)
            print(f"reports of {options.game_id} go to {', '.join(options.addresses) or 'nobody'}")
        case "quota":
            wanted = {"events_a_day": options.events_a_day, "events_a_minute": options.events_a_minute}
            own = {name: value for name, value in wanted.items() if value}
            set_quota(table, options.game_id, own)
            print(f"the quota of {options.game_id} is changed within 30 seconds")
        case "enable":
            restore_usage(table, options.game_id, plan)
            lift_quota(boto3.resource("dynamodb").Table(outputs["tables"]["quotas"]), options.game_id)
            set_status(table, options.game_id, "active")
            print(f"{options.game_id} is enabled")
        case "disable":
            set_status(table, options.game_id, "disabled")
            print(f"{options.game_id} is disabled")


if __name__ == "__main__":
    run(main)
