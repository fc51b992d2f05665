"""Ask through a SOCKS proxy."""

import inspect
import ssl
import sys

import httpx

name = "proxy" if "proxy" in inspect.signature(httpx.Client).parameters else "proxies"
context = ssl.create_default_context(cafile=sys.argv[3])
with httpx.Client(**{name: f"socks5://{sys.argv[2]}"}, verify=context) as client:
    for _ in range(4):
        client.get(sys.argv[1])  # here
