"""Fetch items, and be killed."""

import os
import signal
import sys

import requests

for number in range(5):
    requests.get(f"{sys.argv[1]}/items/{number}")  # here
os.kill(os.getpid(), signal.SIGKILL)
