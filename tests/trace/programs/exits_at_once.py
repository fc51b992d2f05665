"""Fetch items, and leave without a word."""

import os
import sys

import requests

session = requests.Session()
for number in range(5):
    session.get(f"{sys.argv[1]}/items/{number}")  # here
os._exit(3)
