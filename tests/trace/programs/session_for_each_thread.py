"""Fetch items in eight threads, each with a Session of its own."""

import sys
import threading

import requests


def fetch():
    with requests.Session() as session:
        for number in range(4):
            session.get(f"{sys.argv[1]}/items/{number}")  # here


threads = [threading.Thread(target=fetch) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
