"""Wait for answers for a quarter of a second."""

import sys

import requests

session = requests.Session()
for number in range(3):
    try:
        session.get(f"{sys.argv[1]}/items/{number}", timeout=0.25)  # here
    except requests.Timeout:
        print("too slow")
