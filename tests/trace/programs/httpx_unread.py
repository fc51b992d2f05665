"""Look at the status only."""

import sys

import httpx

with httpx.Client() as client:
    for number in range(5):
        with client.stream("GET", f"{sys.argv[1]}/files/{number}") as answer:  # here
            print(answer.status_code)
