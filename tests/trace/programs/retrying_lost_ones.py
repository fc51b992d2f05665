"""Fetch items, and try again when a connection dies."""

import sys

import urllib3

http = urllib3.PoolManager(retries=urllib3.Retry(3))
for number in range(4):
    http.request("GET", f"{sys.argv[1]}/items/{number}")  # here
