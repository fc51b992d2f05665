"""Poll with a client that keeps connections for a fifth of a second."""

import sys
import time

import httpx

with httpx.Client(limits=httpx.Limits(keepalive_expiry=0.2)) as client:
    for _ in range(3):
        client.get(f"{sys.argv[1]}/news")  # here
        time.sleep(0.5)
