"""Have urllib3 speak HTTP/2, which it can since 2.3."""

import sys

import urllib3
import urllib3.http2

urllib3.http2.inject_into_urllib3()
manager = urllib3.PoolManager(ca_certs=sys.argv[2])
for _ in range(4):
    manager.request("POST", sys.argv[1], body=b"x" * 1000)  # here
