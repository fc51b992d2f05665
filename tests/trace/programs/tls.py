"""Fetch items with TLS, with urllib3."""

import sys

import urllib3

url, certificate = sys.argv[1:]
http = urllib3.PoolManager(ca_certs=certificate)
for number in range(5):
    http.request("GET", f"{url}/items/{number}")  # here
