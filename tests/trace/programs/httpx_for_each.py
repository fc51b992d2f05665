"""Fetch items with httpx's functions."""

import sys

import httpx

for number in range(6):
    httpx.get(f"{sys.argv[1]}/items/{number}")  # here
