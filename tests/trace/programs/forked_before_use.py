"""Fetch items in children that were forked before anything was sent."""

import os
import sys

import requests

session = requests.Session()
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        for number in range(4):
            session.get(f"{sys.argv[1]}/items/{number}")  # here
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
