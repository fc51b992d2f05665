"""Ask for news in bursts, with a pause after each."""

import sys
import time

import requests

with requests.Session() as session:
    for count in (1, 2, 3, 2):
        for _ in range(count):
            session.get(f"{sys.argv[1]}/news")  # here
        time.sleep(0.8)
