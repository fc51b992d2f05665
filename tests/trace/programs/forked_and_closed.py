"""Use a client, fork, and close in the child what is the parent's."""

import os
import sys

import requests

session = requests.Session()
session.get(f"{sys.argv[1]}/items/0")  # here
child = os.fork()
if child == 0:
    session.close()
    for number in range(3):
        session.get(f"{sys.argv[1]}/items/{number}")  # here
    os._exit(0)
os.waitpid(child, 0)
session.get(f"{sys.argv[1]}/items/4")
