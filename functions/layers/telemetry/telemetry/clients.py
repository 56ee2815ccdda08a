"""AWS clients with short timeouts and SDK retries; the endpoint comes from AWS_ENDPOINT_URL where set."""

from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_athena.client import AthenaClient
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource
    from mypy_boto3_firehose.client import FirehoseClient
    from mypy_boto3_kinesis.client import KinesisClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_sns.client import SNSClient
    from mypy_boto3_sts.client import STSClient

CONNECTIONS = 32
_config = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"mode": "standard", "max_attempts": 4},
    max_pool_connections=CONNECTIONS,
    # The service checks what it is sent; to check it here too takes a tenth of a call's CPU.
    parameter_validation=False,
)


@overload
def client(service: Literal["athena"]) -> "AthenaClient": ...
@overload
def client(service: Literal["cloudwatch"]) -> "CloudWatchClient": ...
@overload
def client(service: Literal["dynamodb"]) -> "DynamoDBClient": ...
@overload
def client(service: Literal["firehose"]) -> "FirehoseClient": ...
@overload
def client(service: Literal["kinesis"]) -> "KinesisClient": ...
@overload
def client(service: Literal["s3"]) -> "S3Client": ...
@overload
def client(service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["sns"]) -> "SNSClient": ...
@overload
def client(service: Literal["sts"]) -> "STSClient": ...
@overload
def client(service: str) -> Any: ...
def client(service: str) -> Any:
    """Return a low-level client, safe to share between threads."""
    return boto3.client(service, config=_config)  # type: ignore[call-overload]


def resource(service: Literal["dynamodb"]) -> "DynamoDBServiceResource":
    """Return a resource: Python values instead of typed ones; not to be shared between threads."""
    return boto3.resource(service, config=_config)
