"""Fetch six items with a Session, and six with another one, of the same place."""

import sys
import time

import requests


def fetch():
    with requests.Session() as session:
        for number in range(6):
            session.get(f"{sys.argv[1]}/items/{number}")  # here
            time.sleep(0.1)


for _ in range(4):
    fetch()
