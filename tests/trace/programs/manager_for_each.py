"""Fetch items, each with a PoolManager of its own."""

import sys

import urllib3


def fetch(url):
    return urllib3.PoolManager().request("GET", url).data  # here


for number in range(10):
    fetch(f"{sys.argv[1]}/items/{number}")
