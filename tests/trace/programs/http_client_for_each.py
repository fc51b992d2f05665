"""Fetch items, each on a connection of its own of http.client."""

import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

for number in range(6):
    connection = HTTPConnection(urlsplit(sys.argv[1]).netloc)
    connection.request("GET", f"/items/{number}")  # here
    connection.getresponse().read()
    connection.close()
