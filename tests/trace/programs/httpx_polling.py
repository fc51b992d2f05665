"""Ask for news now and then, with httpx."""

import sys
import time

import httpx

with httpx.Client() as client:
    for _ in range(3):
        client.get(f"{sys.argv[1]}/news")  # here
        time.sleep(0.8)
