"""Have other processes fetch items."""

import subprocess
import sys
from urllib.request import urlopen

if sys.argv[2:]:
    for number in range(3):
        urlopen(f"{sys.argv[1]}/items/{number}").read()  # here
else:
    for _ in range(2):
        subprocess.run([sys.executable, __file__, sys.argv[1], "child"], check=True)
