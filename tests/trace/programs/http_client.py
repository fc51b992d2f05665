"""Fetch items on one connection of http.client."""

import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

connection = HTTPConnection(urlsplit(sys.argv[1]).netloc)
for number in range(6):
    connection.request("GET", f"/items/{number}")  # here
    connection.getresponse().read()
