"""Send 6 requests at once, three times over, with a client that keeps two connections."""

import sys
from concurrent.futures import ThreadPoolExecutor

import httpx

client = httpx.Client(limits=httpx.Limits(max_keepalive_connections=2))


def fetch(number):
    return client.get(f"{sys.argv[1]}/items/{number}").status_code  # here


with ThreadPoolExecutor(6) as threads:
    for _ in range(3):
        print(list(threads.map(fetch, range(6))))
