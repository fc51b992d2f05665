"""Fetch items with one PoolManager."""

import sys

import urllib3

http = urllib3.PoolManager()
for number in range(10):
    http.request("GET", f"{sys.argv[1]}/items/{number}")  # here
