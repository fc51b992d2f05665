"""Fetch items in two children that were forked, which let go of their parent's connections."""

import os
import sys

import urllib3

http = urllib3.PoolManager()
os.register_at_fork(after_in_child=http.clear)


def fetch():
    for number in range(3):
        http.request("GET", f"{sys.argv[1]}/items/{number}")  # here


fetch()
for _ in range(2):
    child = os.fork()
    if child == 0:
        fetch()
        os._exit(0)
    os.waitpid(child, 0)
