"""Fetch an item with urllib.request, in three ways."""

import sys
from urllib.request import build_opener, urlopen, urlretrieve

urlopen(sys.argv[1]).read()  # here
urlretrieve(sys.argv[1])  # here
build_opener().open(sys.argv[1]).read()  # here
