"""The metrics that exist: AWS's own by their dimensions, and those that functions emit."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# What AWS publishes by these dimensions, of what we show or watch.
PUBLISHED = {
    ("AWS/ApiGateway", "ApiId Stage"): "4xx 5xx Count Latency",
    ("AWS/ApiGateway", "ApiName Stage"): "4XXError 5XXError Count IntegrationLatency Latency",
    ("AWS/Billing", "Currency"): "EstimatedCharges",
    ("AWS/Cognito", "UserPool UserPoolClient"): "SignInSuccesses SignInThrottles",
    ("AWS/DynamoDB", "GlobalSecondaryIndexName TableName"): "ReadThrottleEvents WriteThrottleEvents",
    ("AWS/DynamoDB", "TableName"): "ConsumedWriteCapacityUnits ReadThrottleEvents WriteThrottleEvents",
    ("AWS/Events", "RuleName"): "FailedInvocations InvocationsFailedToBeSentToDlq",
    ("AWS/Firehose", "DeliveryStreamName"): (
        "DeliveryToS3.Bytes DeliveryToS3.DataFreshness DeliveryToS3.Success ThrottledRecords"
    ),
    ("AWS/Kinesis", "StreamName"): "IncomingBytes IncomingRecords WriteProvisionedThroughputExceeded",
    ("AWS/KinesisAnalytics", "Application"): (
        "cpuUtilization downtime fullRestarts lastCheckpointDuration numberOfFailedCheckpoints"
    ),
    ("AWS/KinesisAnalytics", "Application Flow Id"): "millisBehindLatest",
    ("AWS/Lambda", ""): "ConcurrentExecutions",
    ("AWS/Lambda", "EventSourceMappingUUID"): (
        "DroppedEventCount OnFailureDestinationDeliveredEventCount PolledEventCount"
    ),
    ("AWS/Lambda", "FunctionName"): "Duration Errors IteratorAge Throttles",
    ("AWS/Logs", "LogGroupName"): "IncomingBytes",
    ("AWS/Redshift-Serverless", "UsageLimitId UsageType Workgroup"): "UsageLimitAvailable UsageLimitConsumed",
    ("AWS/SQS", "QueueName"): "ApproximateNumberOfMessagesVisible",
    ("AWS/States", "StateMachineArn"): (
        "ExecutionsAborted ExecutionsFailed ExecutionsStarted ExecutionsSucceeded ExecutionsTimedOut"
    ),
}


def exists(namespace: str, name: str, dimensions: dict[str, str]) -> bool:
    """Tell whether AWS publishes the metric, or the function that `service` names emits it."""
    if namespace.startswith("AWS/"):
        return name in PUBLISHED.get((namespace, " ".join(sorted(dimensions))), "").split()
    sources = (REPOSITORY / "functions" / dimensions["service"]).glob("*.py")
    emits = r'(?:add_metric|single_metric|emf\.Count)\("(\w+)"'
    emitted = set(re.findall(emits, "".join(map(Path.read_text, sources))))
    return set(dimensions) == {"service"} and name in emitted
