"""Upload what the server first agrees to take."""

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
    client.put_object(Bucket="bucket", Key=str(number), Body=b"x" * 100_000)  # here
