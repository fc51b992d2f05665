"""Ask where nobody listens."""

import sys

import requests

for _ in range(3):
    try:
        requests.get(f"{sys.argv[1]}/")
    except requests.ConnectionError:
        print("refused")
