"""Fetch items in a child that was forked, with a client that was made before."""

import os
import sys

import requests

session = requests.Session()


def fetch():
    for number in range(3):
        session.get(f"{sys.argv[1]}/items/{number}")  # here


fetch()
child = os.fork()
if child == 0:
    fetch()
    os._exit(0)
os.waitpid(child, 0)
fetch()
