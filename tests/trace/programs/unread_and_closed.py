"""Look at the first bytes only, and close the response."""

import sys

import requests

session = requests.Session()
for number in range(8):
    with session.get(f"{sys.argv[1]}/files/{number}", stream=True) as answer:  # here
        answer.raw.read(16)
