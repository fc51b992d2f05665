"""Fetch an item, and become another program that fetches one."""

import os
import sys
from urllib.request import urlopen

step = int(sys.argv[2]) if sys.argv[2:] else 3
urlopen(f"{sys.argv[1]}/items/{step}").read()  # here
if step > 1:
    os.execv(sys.executable, [sys.executable, __file__, sys.argv[1], str(step - 1)])
