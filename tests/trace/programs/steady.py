"""Ask for news ten times a second."""

import sys
import time

import requests

with requests.Session() as session:
    for _ in range(12):
        session.get(f"{sys.argv[1]}/news")  # here
        time.sleep(0.1)
