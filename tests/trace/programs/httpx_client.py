"""Fetch items with httpx's client."""

import sys

import httpx

with httpx.Client() as client:
    for number in range(6):
        client.get(f"{sys.argv[1]}/items/{number}")  # here
