"""Read the NDJSON of the lake, gzip or plain, however Firehose came to write it."""

import gzip
import json
import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, cast

from telemetry.decoding import GZIP_MAGIC

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def keys(s3: "S3Client", bucket: str, prefix: str, since: datetime | None = None) -> Iterator[str]:
    """Yield the keys below a prefix, in their order; with `since` those written then or later."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            if since is None or item["LastModified"] >= since.replace(microsecond=0):
                yield item["Key"]


def lines(s3: "S3Client", bucket: str, key: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of an object."""
    return map(json.loads, raw_lines(s3, bucket, key))


def raw_lines(s3: "S3Client", bucket: str, key: str, version: str | None = None) -> Iterator[bytes]:
    """Yield the bytes of each line; the object passes over the disk, for one may hold gigabytes."""
    chosen = {"VersionId": version} if version else {}
    with tempfile.TemporaryFile() as file:
        s3.download_fileobj(bucket, key, file, ExtraArgs=chosen)
        file.seek(0)
        with unzipped(file) as content:
            yield from content


def unzipped(file: IO[bytes]) -> IO[bytes]:
    """Return what a file holds, gzip or not, from its start."""
    zipped = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    file.seek(0)
    return cast(IO[bytes], gzip.GzipFile(fileobj=file)) if zipped else file
