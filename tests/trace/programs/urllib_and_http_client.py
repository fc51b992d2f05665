"""Fetch five items with urllib.request, and five on one connection of http.client."""

import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit
from urllib.request import urlopen

for number in range(5):
    with urlopen(f"{sys.argv[1]}/items/{number}") as answer:  # here
        answer.read()

connection = HTTPConnection(urlsplit(sys.argv[1]).netloc)
for number in range(5):
    connection.request("GET", f"/items/{number}")  # here
    connection.getresponse().read()
connection.close()
