"""Fetch items with one Session that is closed after each."""

import sys

import requests

session = requests.Session()
for number in range(10):
    session.get(f"{sys.argv[1]}/items/{number}")  # here
    session.close()
