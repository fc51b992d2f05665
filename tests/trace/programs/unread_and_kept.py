"""Ask for bodies that are to be read later, and never are."""

import sys

import requests

session = requests.Session()
answers = [
    session.get(f"{sys.argv[1]}/files/{number}", stream=True)  # here
    for number in range(8)
]
print(sum(answer.ok for answer in answers))
