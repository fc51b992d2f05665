"""Have other programs fetch items."""

import subprocess
import sys

PROGRAM = """
import sys, urllib.request
for number in range(3):
    urllib.request.urlopen(f"{sys.argv[1]}/items/{number}").read()
"""
for _ in range(2):
    subprocess.run([sys.executable, "-c", PROGRAM, sys.argv[1]], check=True)
