"""Fetch items in greenlets, with requests."""

from gevent import monkey

monkey.patch_all()

import sys

import gevent
import requests

session = requests.Session()


def fetch(number):
    return session.get(f"{sys.argv[1]}/items/{number}").status_code  # here


for _ in range(2):
    print([it.value for it in gevent.joinall([gevent.spawn(fetch, n) for n in range(4)])])
