"""Try again when the server is busy."""

import sys

import urllib3

http = urllib3.PoolManager(retries=urllib3.Retry(3, status_forcelist=[503]))
for _ in range(2):
    try:
        http.request("GET", f"{sys.argv[1]}/items")  # here
    except urllib3.exceptions.MaxRetryError:
        print("busy")
