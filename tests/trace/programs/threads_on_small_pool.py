"""Send 32 requests at once, three times over, with a Session as it comes: ten places."""

import sys
from concurrent.futures import ThreadPoolExecutor

import requests

session = requests.Session()


def fetch(number):
    return session.get(f"{sys.argv[1]}/items/{number}").status_code  # here


with ThreadPoolExecutor(32) as threads:
    for _ in range(3):
        print(list(threads.map(fetch, range(32))))
