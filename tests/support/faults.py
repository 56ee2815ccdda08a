"""What can happen to an AWS call, made to happen below boto3: its retries and errors are the real ones."""

import copy
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.endpoint import Endpoint
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

Request = dict[str, Any]


class Fault(StrEnum):
    """`answer lost`: AWS did it, and nobody heard; `partial`: it took only a part of the entries."""

    THROTTLED = "throttled"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    ANSWER_LOST = "answer lost"
    PARTIAL = "partial"


# How a service says that it is too much.
THROTTLING = {
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "firehose": (503, "ServiceUnavailableException"),
    "kinesis": (400, "ProvisionedThroughputExceededException"),
    "s3": (503, "SlowDown"),
}
THROTTLED = (400, "ThrottlingException")
# Where the entries of a call are, and where its answer names those that were not taken.
BATCHES = {
    "kinesis.PutRecords": ("Records", "Records"),
    "firehose.PutRecordBatch": ("Records", "RequestResponses"),
    "dynamodb.BatchGetItem": ("RequestItems", "UnprocessedKeys"),
    "dynamodb.BatchWriteItem": ("RequestItems", "UnprocessedItems"),
}
REFUSED_ENTRY = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "not now"}

ATTEMPT = frozenset(Fault) - {Fault.PARTIAL}
WHOLE = frozenset({Fault.PARTIAL})

# What a call is answered, or what makes that of the request's body.
Answer = Request | Callable[[bytes], Request]
# Returns which of the faults a call, "dynamodb.UpdateItem", meets this time, if any.
Choose = Callable[[str, Collection[Fault]], Fault | None]


@contextmanager
def injected(choose: Choose, answers: Mapping[str, Answer] | None = None) -> Iterator[Counter[str]]:
    """Have calls meet what `choose` says; yield how often the code under test made each.

    It is asked for each attempt of boto3's. `answers` are those of calls that nothing else answers.
    """
    calls: Counter[str] = Counter()
    whole, attempt = BaseClient._make_api_call, Endpoint._do_get_response

    def call(client: Any, operation: str, request: Request) -> Any:
        name = f"{client.meta.service_model.service_name}.{operation}"
        calls[name] += 1
        if name in BATCHES and choose(name, WHOLE):
            return _partly(lambda taken: whole(client, operation, taken), request, *BATCHES[name])
        return whole(client, operation, request)

    def send(endpoint: Any, request: Any, model: Any, context: Any) -> Any:
        name = f"{model.service_model.service_name}.{model.name}"

        def run() -> Any:
            answer = (answers or {}).get(name)
            if answer is None:
                return attempt(endpoint, request, model, context)
            return _answer(
                200, request.url, answer(request.body) if callable(answer) else copy.deepcopy(answer)
            )

        match choose(name, ATTEMPT):
            case Fault.THROTTLED:
                service = model.service_model.service_name
                return _error(request.url, *THROTTLING.get(name, THROTTLING.get(service, THROTTLED)))
            case Fault.REFUSED:
                return _error(request.url, 500, "InternalServerError")
            case Fault.UNREACHABLE:
                return None, ConnectTimeoutError(endpoint_url=request.url)
            case Fault.ANSWER_LOST:
                run()
                return None, ReadTimeoutError(endpoint_url=request.url)
        return run()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        patch.setattr(Endpoint, "_do_get_response", send)
        yield calls


def _error(url: str, status: int, code: str) -> Any:
    return _answer(status, url, {"Error": {"Code": code, "Message": "not now"}})


def _answer(status: int, url: str, parsed: Request) -> Any:
    metadata = {"ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}}}
    response = AWSResponse(url, status, {}, None)
    response._content = b""
    return (response, parsed | metadata), None


def _partly(whole: Callable[[Request], Any], request: Request, entries: str, refused: str) -> Any:
    """Take every other entry, the first among them; of one entry alone, it."""
    if isinstance(request[entries], list):
        answer = whole(request | {entries: request[entries][::2]})
        taken = iter(answer[refused])
        places = range(len(request[entries]))
        return answer | {refused: [REFUSED_ENTRY if at % 2 else next(taken) for at in places]}
    ((table, wanted),) = request[entries].items()
    listed = wanted if isinstance(wanted, list) else wanted["Keys"]
    pack = lambda some: some if isinstance(wanted, list) else wanted | {"Keys": some}  # noqa: E731
    answer = whole(request | {entries: {table: pack(listed[::2])}})
    left = listed[1::2]
    return answer | ({refused: {table: pack(left)}} if left else {})
