"""Ask for buckets, each time with a client of its own."""

import sys

import boto3


def exists(bucket):
    client = boto3.client(
        "s3",
        endpoint_url=sys.argv[1],
        region_name="eu-west-1",
        aws_access_key_id="nobody",
        aws_secret_access_key="nothing",
    )
    return client.head_bucket(Bucket=bucket)  # here


for number in range(4):
    exists(f"bucket-{number}")
