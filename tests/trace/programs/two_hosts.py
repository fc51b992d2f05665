"""Follow redirects to another host."""

import sys

import requests

with requests.Session() as session:
    for number in range(5):
        session.get(f"{sys.argv[1]}/items/{number}")  # here
