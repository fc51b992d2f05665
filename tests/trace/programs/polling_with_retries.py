"""Ask for news twice, now and then, and again if that fails."""

import sys
import time

import urllib3

http = urllib3.PoolManager(retries=3)
for _ in range(4):
    for _ in range(2):
        http.request("GET", f"{sys.argv[1]}/news")  # here
    time.sleep(1.1)
