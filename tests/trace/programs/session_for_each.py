"""Fetch items, each with a Session of its own."""

import sys

import requests


def fetch(number):
    with requests.Session() as session:
        return session.get(f"{sys.argv[1]}/items/{number}").json  # here


for number in range(10):
    fetch(number)
