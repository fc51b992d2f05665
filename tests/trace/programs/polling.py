"""Ask for news now and then."""

import sys
import time

import requests

with requests.Session() as session:
    for _ in range(5):
        session.get(f"{sys.argv[1]}/news")  # here
        time.sleep(0.8)
