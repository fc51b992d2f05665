"""Fetch items with one Session."""

import sys

import requests

with requests.Session() as session:
    for number in range(40):
        session.get(f"{sys.argv[1]}/items/{number}")  # here
