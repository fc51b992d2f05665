"""Fetch items with TLS through a proxy: with a Session, and without one."""

import sys

import requests

url, certificate, proxy = sys.argv[1:]
settings = {"verify": certificate, "proxies": {"https": proxy}}
with requests.Session() as session:
    for number in range(5):
        session.get(f"{url}/items/{number}", **settings)  # here
for number in range(3):
    requests.get(f"{url}/items/{number}", **settings)  # here
