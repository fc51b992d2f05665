"""Ask for buckets with one client."""

import sys

import boto3

client = boto3.client(
    "s3",
    endpoint_url=sys.argv[1],
    region_name="eu-west-1",
    aws_access_key_id="nobody",
    aws_secret_access_key="nothing",
)
for number in range(4):
    client.head_bucket(Bucket=f"bucket-{number}")  # here
