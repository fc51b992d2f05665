"""Ask two hosts in turn with room for one."""

import sys

import urllib3

http = urllib3.PoolManager(num_pools=1)
for _ in range(4):
    for url in sys.argv[1:]:
        http.request("GET", f"{url}/items")  # here
