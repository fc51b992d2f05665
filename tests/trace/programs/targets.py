"""Have threads call requests.get itself: no line of the program's is on their stacks."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import requests

for _ in range(2):
    thread = threading.Thread(target=requests.get, args=(sys.argv[1],))
    thread.start()
    thread.join()
with ThreadPoolExecutor(1) as executor:
    list(executor.map(requests.get, [sys.argv[1]] * 2))
