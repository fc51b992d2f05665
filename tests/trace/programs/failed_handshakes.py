"""Ask a server whose certificate nobody trusts."""

import sys

import requests

for _ in range(3):
    try:
        requests.get(f"{sys.argv[1]}/")  # here
    except requests.exceptions.SSLError:
        print("not trusted")
