"""Look at the status only, with urllib3."""

import sys

import urllib3

http = urllib3.PoolManager()
for number in range(8):
    answer = http.request("GET", f"{sys.argv[1]}/files/{number}", preload_content=False)  # here
    print(answer.status)
