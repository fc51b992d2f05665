"""Ask through a SOCKS proxy."""

import sys

from urllib3.contrib.socks import SOCKSProxyManager

manager = SOCKSProxyManager(f"socks5://{sys.argv[2]}", ca_certs=sys.argv[3])
for _ in range(4):
    manager.request("GET", sys.argv[1])  # here
