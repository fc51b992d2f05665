"""Fetch items, without a Session."""

import sys

import requests

for number in range(40):
    answer = requests.get(f"{sys.argv[1]}/items/{number}")  # here
    answer.raise_for_status()
