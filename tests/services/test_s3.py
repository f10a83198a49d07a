"""The S3 store of the tests is strict where a stand-in would be lenient."""

from __future__ import annotations

import uuid

import pytest
from botocore.exceptions import ClientError

from tests.services.s3 import S3Server, client


def test_a_blob_is_written_only_once(s3: S3Server) -> None:
    key = f"masters/{uuid.uuid4().hex}"
    client(s3).put_object(Bucket=s3.bucket, Key=key, Body=b"first", IfNoneMatch="*")

    with pytest.raises(ClientError) as refused:
        client(s3).put_object(Bucket=s3.bucket, Key=key, Body=b"second", IfNoneMatch="*")

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert client(s3).get_object(Bucket=s3.bucket, Key=key)["Body"].read() == b"first"


def test_a_wrong_secret_is_refused(s3: S3Server) -> None:
    with pytest.raises(ClientError) as refused:
        client(s3, secret_key="another-secret-of-the-same-length").list_objects_v2(Bucket=s3.bucket)

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
