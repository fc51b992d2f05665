"""Fetch items with a Session, and a header that somebody copied."""

import sys

import requests

with requests.Session() as session:
    session.headers["Connection"] = "close"
    for number in range(6):
        session.get(f"{sys.argv[1]}/items/{number}")  # here
