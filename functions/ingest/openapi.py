"""The OpenAPI document of the REST API, made from what the code enforces.

`scripts/schemas openapi` prints it.
"""

from typing import Any

from telemetry import catalog
from telemetry.decoding import MAX_EVENT_BYTES
from telemetry.field_errors import MAX_ERRORS, MAX_TEXT
from telemetry.rejection import Reason
from telemetry.vendors import VENDORS

from ingest.compat import NOTHING_STORED
from ingest.request import MAX_BODY_BYTES, MAX_EVENTS

Schema = dict[str, Any]

ERRORS = {
    400: "No event can be told apart in the body. The quarantine keeps the body's beginning.",
    401: "No live key, or a signature that is missing, wrong or stale.",
    403: "The game or the class of its key is disabled, or the path is another game's.",
    404: "No such path.",
    413: f"Over {MAX_BODY_BYTES:,} bytes, unzipped or not, or over {MAX_EVENTS} events.",
    429: "Over the game's rate or quota: wait for Retry-After seconds.",
    503: "Nothing was stored: send the events again with the same event_ids.",
}
TAKEN = "All events were taken."
VERDICTS = {
    207: "Some events were not taken: results names them.",
    422: "No event was good.",
}


def document() -> dict[str, Any]:
    """Return the document (OpenAPI 3.1)."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ingest API",
            "version": "1.0.0",
            "description": (
                "Takes telemetry of games. Each event is judged by itself: an event that is no JSON does not "
                "affect its neighbours. What is refused is kept and can be replayed. An object that holds "
                "nothing but a list of events counts as the list. An event has at most "
                f"{MAX_EVENT_BYTES:,} bytes. Bodies may be gzip. Preflights of browsers (OPTIONS) are "
                "answered without a key; pages of the game's origins can read answers."
            ),
        },
        "servers": [
            {
                "url": "https://{host}",
                "description": "A deployed platform: Terraform's output platform.ingest.url.",
                "variables": {"host": {"default": "events.example.com"}},
            },
            {"url": "http://127.0.0.1:9090", "description": "scripts/micro on this machine."},
        ],
        "paths": {
            "/v1/events": {"post": _operation("Send events", _events(), "gameKey", 202)},
            "/applications/{application_id}/events": {
                "parameters": [
                    {"name": "application_id", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "post": _operation(
                    "Send events as the AWS guidance has them", _guidance(), "guidanceKey", 200
                ),
            },
            **_compat(),
        },
        "components": {
            "schemas": {
                "Error": _error(),
                "AmplitudeAnswer": _amplitude_answer(),
                "AmplitudeError": _amplitude_error(),
                "Init": _init(),
                "FieldError": _field_error(),
                "Result": _result(),
                "Verdict": _verdict(),
                "Event": {"oneOf": [_reference(_name(*kind)) for kind in sorted(catalog.event_types())]},
                "Envelope": _envelope(),
                **{_name(*kind): _event(*kind) for kind in sorted(catalog.event_types())},
            },
            "securitySchemes": {
                "gameKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "guidanceKey": {"type": "apiKey", "in": "header", "name": "Authorization"},
            },
        },
    }


def _operation(summary: str, body: Schema, security: str, taken: int) -> dict[str, Any]:
    answers = {status: (text, "Verdict") for status, text in {taken: TAKEN, **VERDICTS}.items()}
    answers |= {status: (text, "Error") for status, text in ERRORS.items()}
    answers[503] = (ERRORS[503], "ErrorOrVerdict")
    return {
        "summary": summary,
        "security": [{security: []}],
        "parameters": [
            {
                "name": "x-signature",
                "in": "header",
                "required": False,
                "description": (
                    "t= and Unix seconds, at most 300 off; sha256= and in hex the HMAC-SHA256 of these"
                    " seconds, a full stop and the body. Its key is the SHA-256 of the secret, in hex."
                ),
                "schema": {"type": "string", "pattern": "^t=[0-9]{1,12},sha256=[0-9a-f]{64}$"},
            }
        ],
        "requestBody": {"required": True, "content": body},
        "responses": {
            str(status): {"description": text, "content": {"application/json": {"schema": _answer(schema)}}}
            for status, (text, schema) in sorted(answers.items())
        },
    }


def _answer(schema: str) -> Schema:
    if schema == "ErrorOrVerdict":
        return {"anyOf": [_reference("Error"), _reference("Verdict")]}
    return _reference(schema)


def _events() -> Schema:
    one, lines = _reference("Event"), {"type": "string", "description": "One event a line."}
    several = {"type": "array", "minItems": 1, "maxItems": MAX_EVENTS, "items": one}
    return {
        "application/json": {"schema": {"oneOf": [one, several]}},
        "application/x-ndjson": {"schema": lines},
    }


def _guidance() -> Schema:
    inner = {
        "type": "object",
        "required": ["event_id", "event_type", "event_timestamp"],
        "properties": {
            "event_id": {"type": "string"},
            "event_type": {"type": "string"},
            "event_timestamp": {"type": "number", "description": "Unix time in seconds or milliseconds."},
            "event_name": {"type": "string"},
            "event_version": {"type": "string"},
            "app_version": {"type": "string"},
            "event_data": {"type": "object"},
        },
    }
    wrapped = {"type": "object", "required": ["event"], "properties": {"event": inner}}
    several = {
        "type": "object",
        "required": ["events"],
        "properties": {
            "events": {"type": "array", "maxItems": MAX_EVENTS, "items": {"anyOf": [inner, wrapped]}}
        },
    }
    return {"application/json": {"schema": {"anyOf": [several, inner, wrapped]}}}


# By vendor, the paths behind /v1/compat/ that its clients ask for, with an event as its documents have it.
COMPAT_PATHS = {
    "amplitude": ("2/httpapi", "batch"),
    "gameanalytics": ("v2/{game_key}/events",),
    "unity": ("api/analytics/collect/v1/projects/{project}/environments/{environment}",),
}
COMPAT_EXAMPLES: dict[str, Any] = {
    "amplitude": {
        "api_key": "ignored",
        "events": [
            {
                "user_id": "player-1",
                "event_type": "boss hit",
                "time": 1795168800000,
                "insert_id": "7b1c0e0e-7a3c-4a43-9d1e-5a9f0f1f2a3b",
                "event_properties": {"damage": 12},
            }
        ],
    },
    "gameanalytics": [
        {
            "category": "progression",
            "event_id": "Complete:PirateIsland:SandyHills",
            "v": 2,
            "user_id": "player-1",
            "client_ts": 1795168800,
            "session_id": "0d9a4f0e-6d52-4a35-8a86-2a2a4f8b3c11",
            "session_num": 1,
            "platform": "ios",
            "os_version": "ios 18.1",
            "manufacturer": "apple",
            "device": "iPhone17,1",
            "sdk_version": "rest api v2",
        }
    ],
    "unity": {
        "eventList": [
            {
                "eventName": "bossHit",
                "userID": "player-1",
                "sessionID": "0d9a4f0e-6d52-4a35-8a86-2a2a4f8b3c11",
                "eventUUID": "7b1c0e0e-7a3c-4a43-9d1e-5a9f0f1f2a3b",
                "eventTimestamp": "2026-11-20 10:00:00.000",
                "eventParams": {"platform": "PC_CLIENT", "clientVersion": "1.4.2", "damage": 12},
            }
        ]
    },
}


def _compat() -> dict[str, Any]:
    """Return the routes of other products' clients."""
    paths: dict[str, Any] = {}
    for vendor, ends in COMPAT_PATHS.items():
        for end in ends:
            paths[f"/v1/compat/{vendor}/{end}"] = _path(end, _compat_operation(vendor))
    for end in ("v2/{game_key}/init", "remote_configs/v1/init"):
        paths[f"/v1/compat/gameanalytics/{end}"] = _path(end, _init_operation())
    return paths


def _path(end: str, operation: Schema) -> dict[str, Any]:
    names = [part.strip("{}") for part in end.split("/") if part.startswith("{")]
    told = "What the product's clients put here. It is not read: the key names the game."
    parameters = [
        {"name": name, "in": "path", "required": True, "description": told, "schema": {"type": "string"}}
        for name in names
    ]
    return {"post": operation} | ({"parameters": parameters} if parameters else {})


def _compat_operation(vendor: str) -> Schema:
    """Return the operation of a vendor: its clients understand these answers."""
    title, batch = VENDORS[vendor].title, VENDORS[vendor].batch
    one: Schema = {"type": "object"}
    several: Schema = {"type": "array", "minItems": 1, "maxItems": MAX_EVENTS, "items": one}
    wrapped: Schema = {"type": "object", "required": [batch], "properties": {batch: several}}
    schema = {"anyOf": [wrapped, one]} if batch else {"anyOf": [several, one]}
    body = {"application/json": {"schema": schema, "example": COMPAT_EXAMPLES[vendor]}}
    operation = _operation(f"Send events as clients of {title} do", body, "gameKey", 200)
    is_amplitude = vendor == "amplitude"
    verdict = _reference("AmplitudeAnswer" if is_amplitude else "Verdict")
    # API Gateway refuses requests in its own form, whatever client asks.
    errors = [_reference(name) for name in (("AmplitudeError", "Error") if is_amplitude else ("Error",))]
    answers: dict[int, tuple[str, list[Schema]]] = {
        status: (text, [*errors, *_no_body(vendor, status)]) for status, text in ERRORS.items()
    }
    answers[400] = ("No event was good.", [verdict, *errors])
    told = "Events were taken. Those that were refused are in the quarantine."
    answers[204 if vendor == "unity" else 200] = (told, [] if vendor == "unity" else [verdict])
    operation["responses"] = _responses(answers)
    return operation


def _no_body(vendor: str, status: int) -> list[Schema]:
    """Return what an answer without a body is: clients of GameAnalytics keep events only then."""
    is_kept = vendor == "gameanalytics" and status in NOTHING_STORED
    return [{"type": "null", "description": "No body: clients keep the events."}] if is_kept else []


def _init_operation() -> Schema:
    operation = _operation("Begin, as clients of GameAnalytics do", {}, "gameKey", 200)
    operation["requestBody"] = {"required": False, "content": {"application/json": {"schema": {}}}}
    answers = {
        status: (text, [_reference("Error"), *_no_body("gameanalytics", status)])
        for status, text in ERRORS.items()
    }
    answers[200] = ("The client may send.", [_reference("Init")])
    operation["responses"] = _responses(answers)
    return operation


def _responses(answers: dict[int, tuple[str, list[Schema]]]) -> Schema:
    """Return responses with any of these bodies, by status; without any, an answer has none."""
    return {
        str(status): {"description": text}
        | ({"content": {"application/json": {"schema": {"anyOf": bodies}}}} if bodies else {})
        for status, (text, bodies) in sorted(answers.items())
    }


def _init() -> Schema:
    properties = {
        "enabled": {"const": True},
        "server_ts": {"type": "integer", "description": "Our time in Unix seconds: clients correct theirs."},
    }
    return {"type": "object", "required": list(properties), "properties": properties}


def _amplitude_answer() -> Schema:
    """Return a verdict with the fields that Amplitude's clients read."""
    count = {"type": "integer", "minimum": 0}
    indexes = {"type": "array", "items": count}
    own = {
        "code": {"enum": [200, 400], "description": "The status: clients read it here."},
        "error": {"type": "string"},
        "events_ingested": count,
        "events_with_invalid_fields": {"type": "object", "additionalProperties": indexes},
        "payload_size_bytes": count,
        "server_upload_time": count,
    }
    verdict = _verdict()
    return {
        **verdict,
        "required": [*verdict["required"], "code"],
        "properties": verdict["properties"] | own,
    }


def _amplitude_error() -> Schema:
    properties = {
        "code": {"type": "integer", "description": "The status: clients read it here."},
        "error": {"type": "string", "description": "For people."},
        "missing_field": {
            "type": "string",
            "description": "With a name, clients do not send the body again.",
        },
    }
    return {"type": "object", "required": list(properties), "properties": properties}


def _error() -> Schema:
    texts = {"code": {"type": "string"}, "message": {"type": "string", "description": "For people."}}
    error = {"type": "object", "required": ["code", "message"], "properties": texts}
    return {"type": "object", "required": ["error"], "properties": {"error": error}}


def _result() -> Schema:
    properties = {
        "index": {
            "type": "integer",
            "minimum": 0,
            "description": "Number of the event in the body, from 0. Events count, not lines.",
        },
        "event_id": {"type": ["string", "null"]},
        "status": {"enum": ["rejected", "retry"], "description": "retry: not stored, send it again."},
        "reason": {"enum": [reason.value for reason in Reason]},
        "pointer": {"type": "string", "maxLength": MAX_TEXT, "description": "That of the first error."},
        "message": {"type": "string", "maxLength": MAX_TEXT, "description": "That of the first error."},
        "errors": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_ERRORS,
            "items": _reference("FieldError"),
            "description": "All errors of the event: of its form, or else of its game, limits and times.",
        },
    }
    return {"type": "object", "required": list(properties), "properties": properties}


def _field_error() -> Schema:
    properties = {
        "pointer": {
            "type": "string",
            "maxLength": MAX_TEXT,
            "description": "JSON Pointer of where the field is or should be, empty for the event.",
        },
        "message": {"type": "string", "maxLength": MAX_TEXT, "description": "A sentence, for people."},
    }
    examples = [
        {"pointer": "/player_id", "message": '"player_id" is missing; did you write it as "playerId"?'},
        {"pointer": "/playerId", "message": 'an event has no field "playerId"; did you mean "player_id"?'},
        {"pointer": "/sequence", "message": '"sequence" must be from 0 to 2147483647, not -1'},
    ]
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "examples": examples,
    }


def _verdict() -> Schema:
    count = {"type": "integer", "minimum": 0}
    results = {"type": "array", "items": _reference("Result")}
    properties = {"accepted": count, "rejected": count, "results": results}
    return {"type": "object", "required": list(properties), "properties": properties}


def _event(event_type: str, version: str) -> Schema:
    payload = catalog.payloads(catalog.documents())[event_type, version]
    own = {
        "event_type": {"const": event_type},
        "schema_version": {"const": version},
        "payload": payload,
    }
    return {"description": payload["description"], **_reference("Envelope"), "properties": own}


def _envelope() -> Schema:
    documents = catalog.documents()
    return catalog.resolved(catalog.newest("common/envelope", documents), documents)


def _name(event_type: str, version: str) -> str:
    """Return the component's name of an event: "purchase-1-0-0"."""
    return f"{event_type}-{version}"


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
