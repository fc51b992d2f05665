"""Send 16 requests at once through a pool of 4 that has threads wait."""

import sys
from concurrent.futures import ThreadPoolExecutor

import urllib3

http = urllib3.PoolManager(maxsize=4, block=True)


def fetch(number):
    return http.request("GET", f"{sys.argv[1]}/items/{number}").status  # here


with ThreadPoolExecutor(16) as threads:
    print(list(threads.map(fetch, range(16))))
