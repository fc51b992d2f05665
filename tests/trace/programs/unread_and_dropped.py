"""Look at the status only, and drop the rest."""

import sys

import requests

session = requests.Session()
for number in range(8):
    print(session.get(f"{sys.argv[1]}/files/{number}", stream=True).status_code)  # here
