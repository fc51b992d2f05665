"""Ask through a SOCKS proxy, each time with a Session of its own."""

import sys

import requests
import urllib3.contrib.socks

proxies = {"https": f"socks5h://{sys.argv[2]}"}
for _ in range(4):
    requests.get(sys.argv[1], proxies=proxies, verify=sys.argv[3])  # here
